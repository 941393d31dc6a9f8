import './styles/tokens.css';
import './styles/base.css';
import './styles/components.css';
import './styles/shell.css';
import './styles/views.css';
import { QueryClientProvider } from '@tanstack/preact-query';
import { render } from 'preact';
import { App } from './app';
import { queries } from './data/queries';
import { applyTheme } from './data/theme';

applyTheme();
render(
    <QueryClientProvider client={queries}>
        <App />
    </QueryClientProvider>,
    document.getElementById('app')!,
);
