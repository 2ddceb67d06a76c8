import type { createAsyncApi } from './asyncapi.js';
import type { DocumentedChannel } from './asyncapi.types.js';
import { escaped, fieldsTable, inline, typeOf } from './schema-html.js';

/**
 * The page `/docs/events`: the AsyncAPI document as HTML, without scripts. AsyncAPI's own React page needs a script of
 * two megabytes that makes code from text, which the content security policy of this server refuses.
 */

type AsyncApi = ReturnType<typeof createAsyncApi>;
type Message = AsyncApi['components']['messages'][string];

/** The page as a whole HTML document. */
export function eventsPage(document: AsyncApi): string {
  const { info, channels, components } = document;
  const sections = Object.entries(channels).map(([name, channel]) => channelSection(name, channel, document));
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<section id="${name}"><h3>${name}</h3>${fieldsTable(schema)}</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(info.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escaped(info.title)} ${escaped(info.version)}</h1>
${info.description
  .split('\n\n')
  .map((text) => `<p>${inline(text)}</p>`)
  .join('\n')}
<p><a href="/asyncapi.json">asyncapi.json</a> · <a href="/docs">the REST API</a></p>
<nav><ul>${Object.entries(channels)
    .map(([name, { title }]) => `<li><a href="#${name}">${escaped(title)}</a></li>`)
    .join('')}<li><a href="#schemas">Schemas</a></li></ul></nav>
</header>
<main>
${sections.join('\n')}
<section id="schemas"><h2>Schemas</h2>${schemas.join('\n')}</section>
</main>
</body>
</html>
`;
}

function channelSection(
  name: string,
  channel: DocumentedChannel,
  { operations, components, servers }: AsyncApi,
): string {
  const server = servers[channel.servers[0]!.$ref.split('/').at(-1) as keyof typeof servers];
  const messageOf = ({ $ref }: { $ref: string }): [string, Message] => {
    const key = $ref.split('/').at(-1)!;
    return [key, components.messages[key]!];
  };
  const own = Object.values(operations).filter((operation) => operation.channel.$ref === `#/channels/${name}`);
  const articles = own.map(({ action, messages, reply }) => {
    const [key, message] = messageOf(messages[0]!);
    const answer = reply ? messageOf(reply.messages[0]!)[1] : undefined;
    return messageArticle(
      `${name}-${key}`,
      action === 'receive' ? 'client → server' : 'server → client',
      message,
      answer,
    );
  });
  return `<section id="${name}">
<h2>${escaped(channel.title)}</h2>
<p><code>${escaped(`${server.protocol} ${server.pathname}${channel.address === '/' ? '' : channel.address}`)}</code></p>
<p>${inline(channel.description)}</p>
${articles.join('\n')}
</section>`;
}

function messageArticle(id: string, direction: string, message: Message, answer: Message | undefined): string {
  return `<article id="${escaped(id)}">
<h3><code>${escaped(message.name)}</code> <small>${direction}</small></h3>
<p>${inline(message.summary)}</p>
${payloadOf(message)}
${answer ? `<h4>Answer: ${escaped(answer.name)}</h4><p>${inline(answer.summary)}</p>${payloadOf(answer)}` : ''}
</article>`;
}

const payloadOf = ({ payload }: Message): string =>
  payload.properties ? fieldsTable(payload) : `<p class="type">${typeOf(payload)}</p>`;

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
h2 { border-bottom: 1px solid; margin-top: 3rem; }
small { font-weight: normal; opacity: 0.75; }
article { margin: 2rem 0; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8884; padding: 0.25rem 0.75rem 0.25rem 0; text-align: left; vertical-align: top; }
code, .type { font-family: ui-monospace, monospace; font-size: 0.9em; overflow-wrap: anywhere; }
`;
