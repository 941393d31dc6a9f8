import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { Button, Empty, Loaded } from '../components/basics';
import { Icon } from '../components/icons';
import { api, must, type CategoryResponse } from '../data/api';
import { imageAddress } from '../data/address';
import { useJobs } from '../data/jobs';
import { useCategories } from '../data/queries';
import { useRights } from '../data/session';
import { t } from '../texts';
import { CreateCategory } from './create-category';
import { StateBadge } from './state';

const SEARCHED_FROM = 9;

export function Home() {
    const categories = useCategories();
    const { may } = useRights();
    const { data: jobs } = useJobs(undefined, may('train'));
    const [creating, setCreating] = useState(false);
    const [text, setText] = useState('');
    return (
        <>
            <header class="page-head">
                <h1>{t.home.title}</h1>
                {(categories.data?.length ?? 0) >= SEARCHED_FROM && (
                    <input
                        type="search"
                        placeholder={t.home.search}
                        aria-label={t.home.search}
                        value={text}
                        onInput={event => setText(event.currentTarget.value)}
                    />
                )}
                {may('train') && (categories.data?.length ?? 0) > 0 && (
                    <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>
                        {t.home.create}
                    </Button>
                )}
            </header>
            <Loaded query={categories}>
                {all => {
                    if (all.length === 0)
                        return (
                            <Empty title={t.home.empty} detail={t.home.emptyDetail} icon="image">
                                {may('train') && (
                                    <Button kind="primary" large icon="plus" onClick={() => setCreating(true)}>
                                        {t.home.create}
                                    </Button>
                                )}
                            </Empty>
                        );
                    const shown = all.filter(category => category.name.includes(text.trim().toLowerCase()));
                    return shown.length === 0 ? (
                        <p role="status">{t.home.noMatch(text)}</p>
                    ) : (
                        <ul class="cards">
                            {shown.map(category => (
                                <li key={category.name}>
                                    <Link href={`/console/c/${category.name}`} class="card">
                                        <Cover category={category} />
                                        <div class="card-text">
                                            <h2 class="ellipsis">{category.name}</h2>
                                            <StateBadge category={category} jobs={jobs} />
                                            <p class="muted">
                                                {t.home.images(category.images.normal, category.images.anomalous)}
                                            </p>
                                        </div>
                                    </Link>
                                </li>
                            ))}
                        </ul>
                    );
                }}
            </Loaded>
            {creating && <CreateCategory onClose={() => setCreating(false)} taken={categories.data ?? []} />}
        </>
    );
}

function Cover({ category }: { category: CategoryResponse }) {
    const { may } = useRights();
    const source = category.imagesOf ?? category.name;
    const { data } = useQuery({
        queryKey: ['cover', source],
        enabled: may('train') && category.images.normal > 0,
        staleTime: 60_000,
        queryFn: () =>
            must(
                api.GET('/v1/categories/{category}/images', {
                    params: { path: { category: source }, query: { limit: 1, label: 'normal' } },
                }),
            ),
    });
    const image = data?.items[0];
    return (
        <div class="cover">
            {image ? (
                <img src={imageAddress(source, image.id, 'thumbnail')} alt="" loading="lazy" />
            ) : (
                <Icon name="image" size={40} />
            )}
        </div>
    );
}
