import { imageAddress } from '../data/address';
import { t } from '../texts';

export interface StripImage {
    imageId?: string | null;
    score: number;
    caption?: string | undefined;
}

const SHOWN = 24;

/** Images in a row, with what is said about each. */
export function PictureStrip(props: {
    category: string;
    images: readonly StripImage[];
    onOpen?: (image: StripImage) => void;
}) {
    return (
        <ul class="strip">
            {props.images.slice(0, SHOWN).map((image, i) => (
                <li key={image.imageId ?? i}>
                    {image.imageId ? (
                        <button
                            type="button"
                            class="strip-picture"
                            aria-label={`${t.threshold.score(image.score)} ${image.caption ?? ''}`}
                            onClick={() => props.onOpen?.(image)}
                        >
                            <img
                                src={imageAddress(props.category, image.imageId, 'thumbnail')}
                                alt=""
                                loading="lazy"
                            />
                        </button>
                    ) : (
                        <span class="strip-picture gone">{t.threshold.gone}</span>
                    )}
                    <span class="strip-caption number">
                        {image.score.toPrecision(3)} {image.caption && <span class="muted">{image.caption}</span>}
                    </span>
                </li>
            ))}
            {props.images.length > SHOWN && (
                <li class="strip-more muted">{t.threshold.more(props.images.length - SHOWN)}</li>
            )}
        </ul>
    );
}
