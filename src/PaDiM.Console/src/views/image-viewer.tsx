import { useEffect } from 'preact/hooks';
import { Badge, Button, Dialog } from '../components/basics';
import type { ImageResponse } from '../data/api';
import { imageAddress } from '../data/address';
import type { Check } from '../data/training';
import { t } from '../texts';
import { describe } from './images';

/** One image, large, with what stands out about it. The arrow keys lead to the next one. */
export function ImageViewer(props: {
    category: string;
    image: ImageResponse;
    check: Check | undefined;
    all: readonly ImageResponse[];
    onClose: () => void;
    onPrevious?: () => void;
    onNext?: () => void;
}) {
    const { image, check, onPrevious, onNext } = props;
    useEffect(() => {
        const move = (event: KeyboardEvent) => {
            if (event.key === 'ArrowLeft') onPrevious?.();
            if (event.key === 'ArrowRight') onNext?.();
        };
        addEventListener('keydown', move);
        return () => removeEventListener('keydown', move);
    }, [onPrevious, onNext]);
    const twin = props.all.find(one => one.id === check?.findings.find(finding => finding.ofImageId)?.ofImageId);
    const finding = describe(check);
    return (
        <Dialog wide title={image.fileName} onClose={props.onClose}>
            <div class={twin ? 'viewer pair' : 'viewer'}>
                <img src={imageAddress(props.category, image.id)} alt={image.fileName} />
                {twin && (
                    <figure>
                        <img src={imageAddress(props.category, twin.id)} alt={twin.fileName} />
                        <figcaption class="muted">{t.images.repeats(twin.fileName)}</figcaption>
                    </figure>
                )}
            </div>
            <div class="row">
                <Badge tone={image.label === 'normal' ? 'good' : 'bad'}>
                    {image.label === 'normal' ? t.images.good : (image.defect ?? t.images.defective)}
                </Badge>
                {finding && <Badge tone="review">{finding}</Badge>}
                <span class="muted number grow">
                    {t.number(image.width)} × {t.number(image.height)} · {t.bytes(image.bytes)} ·{' '}
                    {t.time(image.createdAt)}
                </span>
                <Button disabled={!onPrevious} onClick={() => onPrevious?.()}>
                    {t.images.previous}
                </Button>
                <Button disabled={!onNext} onClick={() => onNext?.()}>
                    {t.images.next}
                </Button>
            </div>
        </Dialog>
    );
}
