import { Route, Router, Switch } from 'wouter-preact';
import { Shell } from './shell';
import { Empty } from './components/basics';
import { LinkButton } from './components/links';
import { prefix } from './data/address';
import { useSession } from './data/session';
import { t } from './texts';
import { CategoryPage } from './views/category';
import { Home } from './views/home';
import { Jobs } from './views/jobs';
import { SignIn } from './views/sign-in';
import { System } from './views/system';

export function App() {
    const session = useSession();
    if (!session.data) return <div class="loading whole" role="status" aria-label={t.loading} />;
    if (!session.data.scope) return <SignIn />;
    return (
        <Router base={prefix}>
            <Shell>
                <Switch>
                    <Route path="/" component={Home} />
                    <Route path="/console" component={Home} />
                    <Route path="/console/jobs" component={Jobs} />
                    <Route path="/console/system" component={System} />
                    <Route path="/console/c/:category/:view?">
                        {({ category, view }) => <CategoryPage key={category} category={category} view={view} />}
                    </Route>
                    <Route>
                        <Empty whole title={t.nothingHere} detail={t.nothingHereDetail} icon="search">
                            <LinkButton href="/console">{t.toStart}</LinkButton>
                        </Empty>
                    </Route>
                </Switch>
            </Shell>
        </Router>
    );
}
