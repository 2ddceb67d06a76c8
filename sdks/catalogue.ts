import type { Command } from './command.js';

/** A warning of a generator or compiler that is bound to come, and why. docs/sdks.md has them for readers. */
interface KnownWarning {
  readonly pattern: RegExp;
  readonly why: string;
}

/** A generator or a client library, and how its SDK is made, checked and tried. Commands run in the SDK's folder. */
export interface Sdk {
  /** Its folder in `sdks/`. */
  readonly name: string;
  /** Where its version is pinned: a file in `sdks/`, and a pattern with the version as its group. */
  readonly pin: readonly [file: string, pattern: RegExp];
  /** Programs that it needs besides Node.js. */
  readonly tools: readonly string[];
  /** Generates or installs into `generated`, then compiles or checks that and the journey. */
  readonly build: readonly Command[];
  readonly journey: Command;
  readonly known?: readonly KnownWarning[];
}

/** What the journey of each generated SDK does, in this order. It prints a line for each step. */
export const STEPS = [
  'register',
  'login',
  'me',
  'find a user',
  'private chat',
  'send',
  'replay',
  'conflict',
  'history',
  'read',
  'group',
  'add member',
  'remove member',
  'edit',
  'delete',
  'sync',
  'refresh',
  'typed error',
  'unknown code',
  'unknown field',
];

/** What the journey of each client of the sockets does. Before `drain` it prints `ready`, and the server is restarted. */
export const SOCKET_STEPS = [
  'connect',
  'refused connect',
  'send',
  'replay',
  'conflict',
  'exactly once',
  'receipt',
  'expiry',
  'refresh',
  'drain',
  'reconnect',
  'send again',
];

const SPEC = '../../openapi.json';
const BIN = '../node_modules/.bin';
const VENV = 'generated/venv/bin';

const BETA: KnownWarning = {
  pattern: /OpenAPI 3\.1 support is still in beta/,
  why: 'openapi-generator says so of every document of OpenAPI 3.1',
};

/** Makes the environment that `requirements.txt` pins. */
const PYTHON_SETUP: readonly Command[] = [
  ['python3', '-m', 'venv', 'generated/venv'],
  [`${VENV}/pip`, 'install', '--quiet', '--disable-pip-version-check', '-r', 'requirements.txt'],
];

const GO_BUILD: readonly Command[] = [
  ['go', 'vet', './...'],
  ['go', 'build', '-o', 'generated/journey', '.'],
];

const GENERATOR = 'openapi-generator-maven-plugin';

const npmPin = (name: string): Sdk['pin'] => ['package.json', new RegExp(`"${name}": "(.+)"`)];

const mavenSdk = (name: string, artifact: string, mainClass: string, known: readonly KnownWarning[] = []): Sdk => ({
  name,
  pin: [`${name}/pom.xml`, new RegExp(`${artifact}</artifactId>\\s*<version>(.+)</version>`)],
  tools: ['mvn', 'java'],
  build: [['mvn', '-B', '-ntp', 'process-classes']],
  journey: ['sh', '-c', `exec java -cp generated/classes:$(cat generated/classpath) ${mainClass}`],
  known,
});

export const SDKS: readonly Sdk[] = [
  {
    name: 'typescript-openapi-fetch',
    pin: npmPin('openapi-typescript'),
    tools: [],
    build: [
      [`${BIN}/openapi-typescript`, SPEC, '-o', 'generated/schema.ts'],
      [`${BIN}/tsc`, '-p', '.'],
    ],
    journey: ['node', 'generated/out/journey.js'],
  },
  {
    name: 'typescript-hey-api',
    pin: npmPin('@hey-api/openapi-ts'),
    tools: [],
    build: [
      [`${BIN}/openapi-ts`, '-i', SPEC, '-o', 'generated/sdk', '-c', '@hey-api/client-fetch', '--no-log-file'],
      [`${BIN}/tsc`, '-p', '.'],
    ],
    journey: ['node', 'generated/out/journey.js'],
  },
  {
    name: 'python',
    pin: ['python/requirements.txt', /^openapi-python-client==(.+)$/m],
    tools: ['python3'],
    build: [
      ...PYTHON_SETUP,
      [
        'sh',
        '-c',
        `PATH=$PWD/${VENV}:$PATH openapi-python-client generate --path ${SPEC} --meta none --output-path generated/windi --fail-on-warning`,
      ],
      [`${VENV}/mypy`],
    ],
    journey: ['env', 'PYTHONPATH=generated', `${VENV}/python`, 'journey.py'],
  },
  {
    name: 'go-oapi-codegen',
    pin: ['go-oapi-codegen/go.mod', /oapi-codegen\/v2 v(\S+)/],
    tools: ['go'],
    build: [['mkdir', 'generated'], ['go', 'tool', 'oapi-codegen', '-config', 'config.yaml', SPEC], ...GO_BUILD],
    journey: ['generated/journey'],
  },
  {
    name: 'go-ogen',
    pin: ['go-ogen/go.mod', /ogen-go\/ogen v(\S+)/],
    tools: ['go'],
    build: [
      ['go', 'tool', 'ogen', '-target', 'generated', '-package', 'generated', '-config', 'config.yaml', SPEC],
      ...GO_BUILD,
    ],
    journey: ['generated/journey'],
    known: [
      {
        pattern: /Header name is not canonical/,
        why: 'Go spells X-RateLimit-Limit as X-Ratelimit-Limit. The names of headers have no case',
      },
      {
        pattern: /Ensuring "status" matching HTTP status code will not be enforced yet/,
        why: 'ogen says so of every problem of RFC 9457. The server makes the two equal',
      },
    ],
  },
  mavenSdk('java', GENERATOR, 'Journey', [
    BETA,
    {
      pattern: /Ignoring complex example on request body/,
      why: 'the examples of POST /chats are for readers; the generator writes none into its code',
    },
    {
      pattern: /generated\/sdk\/.*(serialVersionUID|[sS]erializationInclusion)/,
      why: "the generator's own code, as javac finds it with -Xlint:all",
    },
  ]),
  mavenSdk('kotlin', GENERATOR, 'JourneyKt', [
    BETA,
    {
      pattern: /generated\/sdk\/.*Elvis operator/,
      why: "the generator's own code, as kotlinc finds it",
    },
  ]),
];

/** Client libraries of Socket.IO. Nothing is generated for them. */
export const SOCKET_CLIENTS: readonly Sdk[] = [
  {
    name: 'socket-python',
    pin: ['socket-python/requirements.txt', /^python-socketio==(.+)$/m],
    tools: ['python3'],
    build: [...PYTHON_SETUP, [`${VENV}/mypy`]],
    journey: [`${VENV}/python`, 'journey.py'],
  },
  mavenSdk('socket-java', 'socket.io-client', 'Journey'),
  {
    name: 'socket-go',
    pin: ['socket-go/go.mod', /clients\/socket\/v3 v(\S+)/],
    tools: ['go'],
    build: GO_BUILD,
    journey: ['generated/journey'],
  },
];
