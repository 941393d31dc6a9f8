import { defineConfig } from 'vite';

// The page finds its files by <base>, which the service fills in: it may lie below any path.
export default defineConfig({
    base: './',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
        target: 'es2022',
        emptyOutDir: true,
        // Data URLs would need an exception in the content security policy.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
    },
    server: { proxy: { '/v1': 'http://localhost:8080', '/health': 'http://localhost:8080' } },
});
