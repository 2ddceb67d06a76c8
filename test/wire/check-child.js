// Loaded by a server in a process of its own, before the program: `node --import`.
import { PlainTranslator } from '../../dist/src/realtime/plain/plain-translator.js';
import { PlainTransport } from '../../dist/src/realtime/plain/plain-transport.js';
import { checkHttpAnswers } from './http-answers.js';
import { checkSockets } from './socket-frames.js';

checkHttpAnswers();
checkSockets({ PlainTransport, PlainTranslator });
