const vm = require('node:vm');

const { LegacyFakeTimers, ModernFakeTimers } = require('@jest/fake-timers');
const { ModuleMocker } = require('jest-mock');

/** Stands for Node's own context where Jest asks for one of `vm`. */
const OWN_CONTEXT = vm.createContext({});

const { compileFunction } = vm;
vm.compileFunction = (code, parameters, { parsingContext, ...options } = {}) =>
	compileFunction(
		code,
		parameters,
		parsingContext === OWN_CONTEXT ? options : { parsingContext, ...options },
	);

/** All of an object's own properties. */
const propertiesOf = (object) =>
	new Map(
		Reflect.ownKeys(object).map((key) => [key, Object.getOwnPropertyDescriptor(object, key)]),
	);

const isSame = (one, other) =>
	one.value === other.value && one.get === other.get && one.set === other.set;

/**
 * Runs a test file in Node's own context and not in one of `vm`, so that it can share loaded modules with other files
 * (`runtime.js`). What a file changes of the globals is undone after it.
 */
module.exports = class SharedContextEnvironment {
	constructor({ projectConfig: config }) {
		const global = globalThis;
		this.global = global;
		this.globalsBefore = propertiesOf(global);
		this.exitBefore = process.exit;
		Object.assign(global, { global, ...config.globals });
		this.moduleMocker = new ModuleMocker(global);
		this.fakeTimers = new LegacyFakeTimers({
			config,
			global,
			moduleMocker: this.moduleMocker,
			timerConfig: { idToRef: (id) => id, refToId: (ref) => ref },
		});
		this.fakeTimersModern = new ModernFakeTimers({ config, global });
	}

	async setup() {}

	async teardown() {
		this.fakeTimers.dispose();
		this.fakeTimersModern.dispose();
		this.moduleMocker.restoreAllMocks();
		process.exit = this.exitBefore;
		for (const [key, property] of propertiesOf(this.global)) {
			const before = this.globalsBefore.get(key);
			if (before === undefined && property.configurable) delete this.global[key];
			else if (before !== undefined && !isSame(before, property))
				Object.defineProperty(this.global, key, before);
		}
	}

	exportConditions() {
		return ['node', 'node-addons'];
	}

	getVmContext() {
		return OWN_CONTEXT;
	}
};
