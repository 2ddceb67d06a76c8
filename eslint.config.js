import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** Which feature may import which (architecture, section 1): whatever is not listed is refused. */
const ARROWS = {
  accounts: ['auth', 'chats', 'groups', 'messages', 'users'],
  auth: ['users'],
  users: [],
  chats: ['users'],
  groups: ['chats', 'users'],
  messages: ['chats', 'users'],
  realtime: ['auth', 'chats', 'groups', 'messages', 'metrics'],
  health: [],
  metrics: ['messages'],
};
const FEATURES = Object.keys(ARROWS);

/** What serves all features and so knows none of them. */
const FOUNDATIONS = ['common', 'config', 'database', 'limits', 'logging', 'redis'];

const forbid = (folder, others) => ({
  files: [`src/${folder}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: others.map((other) => ({
          regex: `^(\\.\\./)+${other}/`,
          message: `${folder} may not import ${other}: see ARROWS in eslint.config.js.`,
        })),
      },
    ],
  },
});

export default tseslint.config(
  { ignores: ['dist/', '.data/', 'coverage/'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // Modules, filters and DTOs of Nest are classes whatever they hold.
      '@typescript-eslint/no-extraneous-class': 'off',
      // DTOs are classes for their decorators; their objects are plain.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      // An index that was just checked or is known by construction reads best so.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      'max-lines': ['error', { max: 400 }],
      'no-empty': ['error', { allowEmptyCatch: false }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[object.name="process"][property.name="env"]',
          message: 'Only src/config reads the environment.',
        },
      ],
    },
  },
  ...FEATURES.map((feature) =>
    forbid(
      feature,
      FEATURES.filter((other) => other !== feature && !ARROWS[feature].includes(other)),
    ),
  ),
  ...FOUNDATIONS.map((folder) => forbid(folder, FEATURES)),
  {
    // Clients copy this folder as it is.
    files: ['src/contract/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(?!\\./)', message: 'The contract imports nothing but itself.' }] },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'Program > :not(ImportDeclaration[importKind="type"], ExportNamedDeclaration[exportKind="type"], TSTypeAliasDeclaration, TSInterfaceDeclaration)',
          message: 'The contract holds types only.',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts', '**/*.spec.ts'],
    rules: {
      // What comes over the wire is what the specs are there to find out.
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
  {
    files: ['**/*.js'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      ...tseslint.configs.disableTypeChecked.languageOptions,
      globals: { process: 'readonly', URL: 'readonly', console: 'readonly', globalThis: 'writable' },
    },
  },
  prettier,
);
