@echo off
rem Starts WinDI Chat by a double click: installs what it needs, builds it and runs it (npm ci && npm start).
setlocal
title WinDI Chat
cd /d "%~dp0"

call node --version >nul 2>nul
if errorlevel 1 (
  echo Node.js was not found. Install Node.js 20.19 or later from https://nodejs.org and start this file again.
  goto end
)

call npm ci
if not errorlevel 1 call npm start
if errorlevel 1 echo WinDI Chat has ended with an error: see the lines above.

:end
pause
