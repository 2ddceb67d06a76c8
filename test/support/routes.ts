import { RequestMethod, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { TestApp } from './test-app.js';

// The routes and socket commands of the running application, read from the metadata of Nest's decorators.

/** All routes of all controllers, as `GET /chats/{id}`. */
export function routesOf(app: TestApp): string[] {
  const modules = [...app.nest.get(ModulesContainer).values()];
  return modules.flatMap(({ controllers }) =>
    [...controllers.values()].flatMap(({ metatype }) => routesOfController(metatype as Type)),
  );
}

function routesOfController(controller: Type): string[] {
  const asList = (path: string | string[]): string[] => [path].flat();
  return Object.getOwnPropertyNames(controller.prototype).flatMap((name) => {
    const handler = (controller.prototype as Record<string, object>)[name]!;
    const method = Reflect.getMetadata('method', handler) as RequestMethod | undefined;
    if (method === undefined) return [];
    return asList(Reflect.getMetadata('path', controller)).flatMap((prefix) =>
      asList(Reflect.getMetadata('path', handler)).map((path) => {
        const full = `/${prefix}/${path}`.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
        return `${RequestMethod[method]} ${full.replace(/:(\w+)/g, '{$1}')}`;
      }),
    );
  });
}

/** All socket commands of all gateways. */
export function eventsOf(app: TestApp): string[] {
  const modules = [...app.nest.get(ModulesContainer).values()];
  const gateways = modules.flatMap(({ providers }) =>
    [...providers.values()].flatMap(({ metatype }) =>
      typeof metatype === 'function' && Reflect.hasMetadata('websockets:is_gateway', metatype)
        ? [metatype as Type]
        : [],
    ),
  );
  return gateways.flatMap(({ prototype }) =>
    Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = (prototype as Record<string, object>)[name]!;
      const isHandler = typeof handler === 'function' && Reflect.hasMetadata('websockets:message_mapping', handler);
      return isHandler ? [Reflect.getMetadata('message', handler) as string] : [];
    }),
  );
}
