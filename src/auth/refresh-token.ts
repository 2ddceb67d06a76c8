import { createHash, createHmac, randomBytes } from 'node:crypto';

/** The first bytes name the session and stay; the rest is the secret, new at each refresh. */
const FAMILY_BYTES = 16;
const SECRET_BYTES = 32;
const FORM = /^[\w-]{64}$/;

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

/** An opaque token of 64 characters. The database knows it only by hashes. */
export class RefreshToken {
  private constructor(private readonly bytes: Buffer) {}

  /** The first token of a new session. */
  static create(): RefreshToken {
    return new RefreshToken(randomBytes(FAMILY_BYTES + SECRET_BYTES));
  }

  /** Undefined for what can't be one. */
  static parse(text: string): RefreshToken | undefined {
    return FORM.test(text) ? new RefreshToken(Buffer.from(text, 'base64url')) : undefined;
  }

  /** A key for `successor`, to be used for one rotation. */
  static newKey(): Buffer {
    return randomBytes(SECRET_BYTES);
  }

  /**
   * The id of its session: a hash of what all tokens of the session begin with, as a UUID of version 8. So a token finds
   * its session when it is long out of use, and nobody who knows the id can make up a token that ends the session.
   */
  get sessionId(): string {
    const id = sha256(this.bytes.subarray(0, FAMILY_BYTES)).subarray(0, 16);
    id[6] = (id[6]! & 0x0f) | 0x80;
    id[8] = (id[8]! & 0x3f) | 0x80;
    return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }

  get hash(): Buffer {
    return sha256(this.bytes);
  }

  /** The token that follows; the same one for the same key, so a refresh that is sent twice has one result. */
  successor(key: Buffer): RefreshToken {
    const secret = createHmac('sha256', key).update(this.bytes).digest();
    return new RefreshToken(Buffer.concat([this.bytes.subarray(0, FAMILY_BYTES), secret]));
  }

  /** As the client holds it. */
  toString(): string {
    return this.bytes.toString('base64url');
  }
}
