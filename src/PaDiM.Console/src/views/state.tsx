import type { CategoryResponse, JobResponse } from '../data/api';
import { isOver } from '../data/jobs';
import { Badge } from '../components/basics';
import { t } from '../texts';

/** What a category needs next, or that it inspects. */
export function StateBadge({ category, jobs }: { category: CategoryResponse; jobs: JobResponse[] | undefined }) {
    const fit = jobs?.find(job => job.category === category.name && job.kind === 'fit' && !isOver(job));
    if (fit)
        return (
            <Badge tone="busy">
                {fit.state === 'queued' ? t.state.waiting : t.state.fitting(Math.round(fit.progress * 100))}
            </Badge>
        );
    if (category.activeModelVersion) return <Badge tone="good">{t.state.ready(category.activeModelVersion)}</Badge>;
    if (category.images.normal === 0) return <Badge>{t.state.empty}</Badge>;
    return <Badge>{category.images.normal < 2 ? t.state.few : t.state.fittable}</Badge>;
}
