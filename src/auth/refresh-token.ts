import { createHash, createHmac, randomBytes } from 'node:crypto';

/** The first bytes identify the session and stay the same. The rest is the secret, new at each refresh. */
const FAMILY_BYTES = 16;
const SECRET_BYTES = 32;
const FORMAT = /^[\w-]{64}$/;

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

/**
 * A refresh token: an opaque text of 64 characters, 16 bytes that identify the session and a secret of 32 bytes. The
 * database holds only hashes of it. `SessionsService` decides which token is good; this class only computes.
 */
export class RefreshToken {
  private constructor(private readonly bytes: Buffer) {}

  /** The first token of a new session. */
  static create(): RefreshToken {
    return new RefreshToken(randomBytes(FAMILY_BYTES + SECRET_BYTES));
  }

  /** Undefined for a text that can't be a refresh token. */
  static parse(text: string): RefreshToken | undefined {
    return FORMAT.test(text) ? new RefreshToken(Buffer.from(text, 'base64url')) : undefined;
  }

  /** A random key for `successor`; each rotation needs a new one. */
  static newKey(): Buffer {
    return randomBytes(SECRET_BYTES);
  }

  /**
   * The id of its session: the hash of the bytes that all tokens of the session begin with, as a UUID of version 8. So
   * even a token that was replaced long ago leads to its session. And as the id is a hash, nobody can make a token of
   * the session from the id, not even a used one that would end it.
   */
  get sessionId(): string {
    const id = sha256(this.bytes.subarray(0, FAMILY_BYTES)).subarray(0, 16);
    id[6] = (id[6]! & 0x0f) | 0x80;
    id[8] = (id[8]! & 0x3f) | 0x80;
    return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }

  /** SHA-256 of the whole token: what the database keeps. */
  get hash(): Buffer {
    return sha256(this.bytes);
  }

  /** SHA-256 of the token and of the id that the client made for its refresh. */
  hashWith(refreshId: string): Buffer {
    return sha256(Buffer.concat([this.bytes, Buffer.from(refreshId)]));
  }

  /**
   * The next token of the session. The same key gives the same token, so a refresh that is sent twice has one result.
   */
  successor(key: Buffer): RefreshToken {
    const secret = createHmac('sha256', key).update(this.bytes).digest();
    return new RefreshToken(Buffer.concat([this.bytes.subarray(0, FAMILY_BYTES), secret]));
  }

  /** The text that the client gets. */
  toString(): string {
    return this.bytes.toString('base64url');
  }
}
