import { randomBytes } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { hash, type Options, verify } from '@node-rs/argon2';

/** OWASP's minimum for argon2id, the library's default algorithm: 19 MiB, two passes, one lane (Password Storage Cheat Sheet). */
const ARGON2: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

@Injectable()
export class PasswordsService implements OnModuleInit {
  private decoy: string;

  async onModuleInit(): Promise<void> {
    this.decoy = await this.hash(randomBytes(16).toString('hex'));
  }

  /** The hash in PHC string format. */
  hash(password: string): Promise<string> {
    return hash(password, ARGON2);
  }

  /** Whether the password is right. Without a hash it takes as long and is wrong, so that an unknown email doesn't show in time. */
  async verify(stored: string | undefined, password: string): Promise<boolean> {
    const right = await verify(stored ?? this.decoy, password);
    return stored !== undefined && right;
  }
}
