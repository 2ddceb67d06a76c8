import { domainToASCII, domainToUnicode } from 'node:url';
import type { TextForm } from '../common/validation/text-form.js';

/** Letters, digits and the like. Node would take apart a domain with a port, a path or percent signs. */
const DOMAIN = /^[\p{L}\p{M}\p{N}.\-。．｡]+$/u;

/**
 * The one form of an email: without white space around it, in Unicode's form C, its domain in small letters and not in
 * Punycode. The case of the rest stays as it was typed; the database compares whatever the case.
 */
export const canonicalEmail: TextForm = (text) => {
  const email = text.trim().normalize('NFC');
  const domain = email.slice(email.lastIndexOf('@') + 1);
  const unicode = DOMAIN.test(domain) ? domainToUnicode(domainToASCII(domain)) : '';
  return email.slice(0, email.length - domain.length) + (unicode || domain.toLowerCase());
};
