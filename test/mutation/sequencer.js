const Sequencer = require('@jest/test-sequencer').default;

/** Files that have killed a mutant come first, then the fastest. */
module.exports = class KillersFirst extends Sequencer {
	sort(tests) {
		const sorted = super.sort(tests);
		const others = sorted.filter((test) => !this.hasFailed(test));
		return [...sorted.filter((test) => this.hasFailed(test)), ...others.reverse()];
	}
};
