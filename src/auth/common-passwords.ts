import { dictionary } from '@zxcvbn-ts/language-common';

/**
 * 49,233 of the commonest passwords of public breaches, in lower case. 17,950 of them have the 8 characters required
 * here.
 */
const COMMON: ReadonlySet<string> = new Set(dictionary['passwords-common']);

/**
 * Whether an attacker would try the password among the first, whatever its case (OWASP ASVS 5.0, 6.2.4). New passwords
 * are checked with it.
 */
export const isCommonPassword = (password: string): boolean => COMMON.has(password.toLowerCase());
