import type { Type } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';

type Holds = (input: Record<string, unknown>) => boolean;
type Condition = (object: object, value: unknown) => boolean;
type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

/**
 * The kinds of class-validator's metadata that can be compiled. A class with any other kind is validated by
 * class-validator.
 */
const RULE = 'customValidation';
const CONDITION = 'conditionalValidation';

const compiled = new Map<Type<object>, Holds | undefined>();

/**
 * The fast path of `ContractValidationPipe`: whether all rules of a class hold for an input. The rules are compiled
 * from class-validator's metadata once for each class. class-validator itself looks them up, groups and filters them
 * again for each value: 20 µs for a message, where this takes 1. False means only that something may be wrong; the pipe
 * then runs class-validator, which finds the errors.
 */
export function rulesHold(metatype: Type<object>, input: object): boolean {
  if (!compiled.has(metatype)) compiled.set(metatype, compile(metatype));
  return compiled.get(metatype)?.(input as Record<string, unknown>) ?? false;
}

/** The rules of a class as one function; undefined when the class has none or some that can't be compiled. */
function compile(metatype: Type<object>): Holds | undefined {
  const storage = getMetadataStorage();
  const metadata = storage.getTargetValidationMetadatas(metatype, '', false, false);
  const plain = metadata.every(
    ({ type, each, groups }) => [RULE, CONDITION].includes(type) && !each && !(groups as unknown[] | undefined)?.length,
  );
  if (!plain || metadata.length === 0) return undefined;
  const fields = Object.entries(storage.groupByPropertyName(metadata)).map(([property, rules]) => {
    const conditions = rules.filter(({ type }) => type === CONDITION).map((rule) => rule.constraints[0] as Condition);
    const checks = rules.filter(({ type }) => type === RULE).map((rule) => checkOf(rule, metatype.name));
    return { property, conditions, checks };
  });
  const known = new Set(fields.map(({ property }) => property));
  return (input) =>
    Object.keys(input).every((name) => known.has(name)) &&
    fields.every(({ property, conditions, checks }) => {
      const value = input[property];
      return conditions.some((applies) => !applies(input, value)) || checks.every((holds) => holds(input, value));
    });
}

function checkOf({ constraintCls, constraints, propertyName }: Rule, targetName: string): Condition {
  const [constraint] = getMetadataStorage().getTargetValidatorConstraints(constraintCls);
  const validator = constraint!.instance;
  return (object, value) =>
    validator.validate(value, { value, constraints, targetName, object, property: propertyName }) === true;
}
