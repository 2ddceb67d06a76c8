import { AppError } from '../../common/errors/app-error.js';
import { toCommandError } from './socket-error.filter.js';

/** The most bytes of a command: of its frame, or of its packet in a polling request. */
export const MAX_COMMAND_BYTES = 64 * 1024;

/** Stands for the payload of a larger command. `BoundedDecoder` puts it there, and parses nothing. */
export const TOO_LARGE = Symbol('payload too large');

/** The error of a larger command. */
export const PAYLOAD_TOO_LARGE = toCommandError(new AppError('payload_too_large', 'A command may have up to 64 KiB.'));
