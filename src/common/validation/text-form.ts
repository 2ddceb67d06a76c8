import 'reflect-metadata';

/** Makes of all texts that count as the same the one that is compared and stored. */
export type TextForm = (text: string) => string;

const FORMS = Symbol('forms');

/** For a field of a DTO: the pipe puts its text into this form before the rules see it. */
export const InForm =
  (form: TextForm): PropertyDecorator =>
  (prototype, property) => {
    Reflect.defineMetadata(FORMS, { ...formsOf(prototype), [property]: form }, prototype);
  };

/** The forms of the fields of a class, by name; also those that it inherits. */
export const formsOf = (prototype: object): Readonly<Record<string, TextForm>> =>
  (Reflect.getMetadata(FORMS, prototype) as Record<string, TextForm> | undefined) ?? {};

/** A text whose accents may have been typed in one way or another: Unicode's normalization form C. */
export const composed: TextForm = (text) => text.normalize('NFC');

/** A password, as RFC 8265 compares it (OpaqueString): all spaces alike, form C, and case and all else as they are. */
export const opaque: TextForm = (text) => text.replace(/\p{Zs}/gu, ' ').normalize('NFC');
