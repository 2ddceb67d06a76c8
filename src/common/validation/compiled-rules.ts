import type { Type } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';
import { formsOf, type TextForm } from './text-form.js';

type Holds = (input: Record<string, unknown>) => boolean;
type Condition = (object: object, value: unknown) => boolean;
type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

/**
 * The kinds of class-validator's metadata that can be compiled. A class with any other kind is validated by
 * class-validator.
 */
const RULE = 'customValidation';
const CONDITION = 'conditionalValidation';

/** What class-validator's metadata says of a class. */
interface Rules {
  readonly fields: ReadonlySet<string>;
  /** Undefined when the class has no rules or some that can't be compiled. */
  readonly hold: Holds | undefined;
  readonly forms: readonly (readonly [string, TextForm])[];
}

const compiled = new Map<Type<object>, Rules>();

/** Whether the class has a field of this name. */
export const isField = (metatype: Type<object>, name: string): boolean => rulesOf(metatype).fields.has(name);

/** Puts the texts of the input into the forms of its class. */
export function putInForm(metatype: Type<object>, input: object): void {
  const fields = input as Record<string, unknown>;
  for (const [name, form] of rulesOf(metatype).forms) {
    const value = fields[name];
    if (typeof value === 'string') fields[name] = form(value);
  }
}

/**
 * The fast path of `ContractValidationPipe`: whether all rules of a class hold for an input. The rules are compiled
 * from class-validator's metadata once for each class. class-validator itself looks them up, groups and filters them
 * again for each value: 20 µs for a message, where this takes 1. False means only that something may be wrong; the pipe
 * then runs class-validator, which finds the errors.
 */
export function rulesHold(metatype: Type<object>, input: object): boolean {
  return rulesOf(metatype).hold?.(input as Record<string, unknown>) ?? false;
}

function rulesOf(metatype: Type<object>): Rules {
  const known = compiled.get(metatype);
  if (known) return known;
  const rules = compile(metatype);
  compiled.set(metatype, rules);
  return rules;
}

function compile(metatype: Type<object>): Rules {
  const storage = getMetadataStorage();
  const metadata = storage.getTargetValidationMetadatas(metatype, '', false, false);
  const fields = new Set(metadata.map(({ propertyName }) => propertyName));
  const plain = metadata.every(
    ({ type, each, groups }) => [RULE, CONDITION].includes(type) && !each && !(groups as unknown[] | undefined)?.length,
  );
  const forms = Object.entries(formsOf(metatype.prototype as object));
  if (!plain || metadata.length === 0) return { fields, forms, hold: undefined };
  const rules = Object.entries(storage.groupByPropertyName(metadata)).map(([property, own]) => {
    const conditions = own.filter(({ type }) => type === CONDITION).map((rule) => rule.constraints[0] as Condition);
    const checks = own.filter(({ type }) => type === RULE).map((rule) => checkOf(rule, metatype.name));
    return { property, conditions, checks };
  });
  const hold: Holds = (input) =>
    Object.keys(input).every((name) => fields.has(name)) &&
    rules.every(({ property, conditions, checks }) => {
      const value = input[property];
      return conditions.some((applies) => !applies(input, value)) || checks.every((holds) => holds(input, value));
    });
  return { fields, forms, hold };
}

function checkOf({ constraintCls, constraints, propertyName }: Rule, targetName: string): Condition {
  const [constraint] = getMetadataStorage().getTargetValidatorConstraints(constraintCls);
  const validator = constraint!.instance;
  return (object, value) =>
    validator.validate(value, { value, constraints, targetName, object, property: propertyName }) === true;
}
