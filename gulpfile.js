const { dest, parallel, series, src } = require('gulp');

/** What tsc leaves behind: icons (SVG) and codex files, copied beside the code that names them. */
const copyAssets = (folder) => () =>
	src(`${folder}/**/*.{svg,node.json}`, { encoding: false }).pipe(dest(`dist/${folder}`));

exports.build = series(parallel(copyAssets('nodes'), copyAssets('icons')));
