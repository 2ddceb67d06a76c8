import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';
import { COMMON_ROOMS, FEATURES, FOUNDATIONS, REALTIME_ROOMS } from './import-arrows.js';

/** Refuses imports, in the files of a folder, whose path matches one of the patterns. */
const refuseImports = (folder, patterns) => ({
  files: [`${folder}/**/*.ts`],
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});

const SEE = 'see import-arrows.js.';

/** What the files of each folder may not import of the folders beside it; `deeper` are further patterns for them all. */
const keepArrows = (parent, arrows, deeper = []) =>
  Object.entries(arrows).map(([folder, allowed]) =>
    refuseImports(`${parent}/${folder}`, [
      ...Object.keys(arrows)
        .filter((other) => other !== folder && !allowed.includes(other))
        .map((other) => ({ regex: `^(\\.\\./)+${other}/`, message: `${folder} may not import ${other}: ${SEE}` })),
      ...deeper,
    ]),
  );

/** A service asks another feature's service, never its repository. */
const NO_FOREIGN_REPOSITORY = {
  regex: '^(\\.\\./)+[\\w-]+/[\\w.-]+\\.repository\\.js$',
  message: "Ask the other feature's service, not its repository.",
};

/** Rules of a room of `realtime`: ESLint takes the last rule that fits, so those of its feature are repeated. */
const IN_REALTIME = [
  { regex: '^\\.\\./realtime\\.(gateway|module)\\.js$', message: `A room imports neither gateway nor module: ${SEE}` },
  NO_FOREIGN_REPOSITORY,
  ...Object.keys(FEATURES)
    .filter((other) => other !== 'realtime' && !FEATURES.realtime.includes(other))
    .map((other) => ({ regex: `^(\\.\\./)+${other}/`, message: `realtime may not import ${other}: ${SEE}` })),
];

/** A foundation knows no feature. */
const NO_FEATURE = Object.keys(FEATURES).map((feature) => ({
  regex: `^(\\.\\./)+${feature}/`,
  message: `What serves all features may not import ${feature}: ${SEE}`,
}));

export default tseslint.config(
  // The journeys in the folders of `sdks` can't be read without what they import, which is generated.
  { ignores: ['dist/', '.data/', 'coverage/', 'sdks/*/', '**/dist/', '**/generated/'] },
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
      // `{ key: _, ...rest }` leaves a field out.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, varsIgnorePattern: '^_+$' }],
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
  ...keepArrows('src', FEATURES, [NO_FOREIGN_REPOSITORY]),
  ...keepArrows('src/realtime', REALTIME_ROOMS, IN_REALTIME),
  ...FOUNDATIONS.map((folder) => refuseImports(`src/${folder}`, NO_FEATURE)),
  ...keepArrows('src/common', COMMON_ROOMS, NO_FEATURE),
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
    files: ['migrations/**/*.ts'],
    rules: {
      // A migration's SQL stands in one file, however long it is.
      'max-lines': 'off',
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^\\.', message: 'A migration stands alone: it imports no other migration and nothing of src.' },
          ],
        },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'TemplateLiteral[expressions.length>0]',
          message: 'The SQL of a migration stands in full: no ${}.',
        },
        {
          selector: 'CallExpression[callee.property.name=/^replace(All)?$/]',
          message: 'The SQL of a migration stands in full: no text is patched.',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'clients/*/test/**/*.ts', '**/*.spec.ts'],
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
