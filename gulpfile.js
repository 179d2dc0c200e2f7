const { dest, src } = require('gulp');

/** tsc builds everything else. */
exports.build = () => src('icons/*.svg', { encoding: false }).pipe(dest('dist/icons'));
