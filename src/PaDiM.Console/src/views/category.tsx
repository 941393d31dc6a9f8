import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { Empty, Loaded } from '../components/basics';
import { LinkButton } from '../components/links';
import { Refusal } from '../data/api';
import { useJobs } from '../data/jobs';
import { useCategory } from '../data/queries';
import { useRights } from '../data/session';
import { t } from '../texts';
import { Images } from './images';
import { Inspect } from './inspect';
import { Inspections } from './inspections';
import { Models } from './models';
import { Review } from './review';
import { Settings } from './settings';
import { Start } from './start';
import { StateBadge } from './state';
import { Threshold } from './threshold';

const views = ['inspect', 'review', 'inspections', 'start', 'images', 'threshold', 'models', 'settings'] as const;
type View = (typeof views)[number];

/** The pages of a category. It opens where its user is likely to go on. */
export function CategoryPage({ category, view }: { category: string; view: string | undefined }) {
    const [first, setFirst] = useState<View>();
    const query = useCategory(category);
    const { may } = useRights();
    const { data: jobs } = useJobs(category, may('train'));
    if (query.error instanceof Refusal && query.error.status === 404)
        return (
            <Empty whole title={t.nothingHere} detail={query.error.message} icon="search">
                <LinkButton href="/console">{t.toStart}</LinkButton>
            </Empty>
        );
    return (
        <>
            {query.data === undefined && (
                <header class="page-head">
                    <h1>{category}</h1>
                </header>
            )}
            <Loaded query={query}>
                {is => {
                    const offered = views.filter(one =>
                        one === 'inspect' || one === 'threshold'
                            ? is.activeModelVersion != null
                            : may(one === 'review' || one === 'inspections' ? 'review' : 'train'),
                    );
                    // It stays there when the first fit ends.
                    const usual = is.activeModelVersion == null && may('train') ? 'start' : offered[0];
                    const chosen = offered.find(one => one === (view ?? first)) ?? usual ?? 'inspect';
                    if (!view && chosen !== first) setFirst(chosen);
                    const current: View = chosen;
                    return (
                        <>
                            <header class="page-head">
                                <h1>{is.name}</h1>
                                <StateBadge category={is} jobs={jobs} />
                            </header>
                            <nav class="tabs" aria-label={t.tabs.label(is.name)}>
                                {offered.map(one => (
                                    <Link
                                        key={one}
                                        href={`/console/c/${is.name}/${one}`}
                                        aria-current={one === current ? 'page' : undefined}
                                    >
                                        {t.tabs[one]}
                                    </Link>
                                ))}
                            </nav>
                            {offered.length === 0 && <Empty title={t.state.empty} icon="image" />}
                            {offered.length > 0 && current === 'inspect' && <Inspect category={is} />}
                            {current === 'review' && <Review category={is} />}
                            {current === 'inspections' && <Inspections category={is} />}
                            {current === 'start' && <Start category={is} />}
                            {current === 'images' && <Images category={is} />}
                            {current === 'threshold' && <Threshold category={is} />}
                            {current === 'models' && <Models category={is} />}
                            {current === 'settings' && <Settings category={is} />}
                        </>
                    );
                }}
            </Loaded>
        </>
    );
}
