import { dictionary } from '@zxcvbn-ts/language-common';

/** The commonest passwords of public breaches, 49,233 of them in small letters; 17,950 have the 8 characters one needs here. */
const COMMON: ReadonlySet<string> = new Set(dictionary['passwords-common']);

/** Whether it is among those that an attacker tries first, whatever its case (OWASP ASVS 5.0, 6.2.4). */
export const isCommonPassword = (password: string): boolean => COMMON.has(password.toLowerCase());
