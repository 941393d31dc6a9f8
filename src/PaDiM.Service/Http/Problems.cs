using System.Text;
using PaDiM.Core.InputChecks;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Faults;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Service.Http;

/// <summary>Every expected failure of the service with its code and status, in one place.</summary>
internal static class Problems
{
    public static Problem InvalidRequest(string detail) =>
        new(ProblemCodes.InvalidRequest, StatusCodes.Status400BadRequest, detail);

    /// <summary>Creates the problem for a status without a body.</summary>
    public static Problem NotAnswered(int status) =>
        new(ProblemCodes.InvalidRequest, status, "The request could not be processed.");

    public static Problem RouteNotFound() =>
        new(
            ProblemCodes.RouteNotFound,
            StatusCodes.Status404NotFound,
            "There is no resource at this URL; see /swagger for the available ones."
        );

    public static Problem MethodNotAllowed(string method, string allowed) =>
        new(
            ProblemCodes.MethodNotAllowed,
            StatusCodes.Status405MethodNotAllowed,
            $"This URL does not support {Shorten(method)}; it supports {allowed}."
        );

    public static Problem InvalidName(string name) =>
        new(
            ProblemCodes.InvalidName,
            StatusCodes.Status400BadRequest,
            $"'{Shorten(name)}' is not a valid category name. Use 1 to 64 characters from a-z, 0-9, '.', '_' "
                + "and '-', starting with a letter or digit."
        );

    public static Problem InvalidSettings(string detail) =>
        new(ProblemCodes.InvalidSettings, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem UnknownBackbone(string name, IEnumerable<string> installed) =>
        new(
            ProblemCodes.BackboneNotFound,
            StatusCodes.Status422UnprocessableEntity,
            BackboneCatalogue.Known.GetMissingMessage(Shorten(name))
                + (
                    BackboneCatalogue.Known.Find(name) is null
                        ? " Add it with 'padim backbones add FILE'."
                        : " (the service searches the folders of Padim__BackboneDirectories__0 and so on)."
                )
                + $" Installed: {string.Join(", ", installed)}."
        );

    public static Problem UnusableBackbone(string detail) =>
        new(ProblemCodes.BackboneUnusable, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem CategoryNotFound(string name) =>
        new(
            ProblemCodes.CategoryNotFound,
            StatusCodes.Status404NotFound,
            $"The category '{Shorten(name)}' does not exist. Create it with PUT /v1/categories/{{category}}."
        );

    public static Problem CategoryInUse(string name, IEnumerable<string> users) =>
        new(
            ProblemCodes.CategoryInUse,
            StatusCodes.Status409Conflict,
            $"'{Shorten(name)}' cannot be deleted, because others take their images from it: "
                + $"{string.Join(", ", users)}. Delete those first."
        );

    public static Problem ImagesElsewhere(string name, string source) =>
        new(
            ProblemCodes.ImagesElsewhere,
            StatusCodes.Status409Conflict,
            $"'{Shorten(name)}' takes its images from '{source}'. Send the request to /v1/categories/{source}."
        );

    public static Problem ImageNotFound(string id) =>
        new(ProblemCodes.ImageNotFound, StatusCodes.Status404NotFound, $"The category has no image '{Shorten(id)}'.");

    public static Problem InspectionNotFound(string id) =>
        new(
            ProblemCodes.InspectionNotFound,
            StatusCodes.Status404NotFound,
            $"There is no inspection '{Shorten(id)}'. It may be older than what the category keeps, or not written yet."
        );

    public static Problem InspectionImageNotKept(string id) =>
        new(
            ProblemCodes.InspectionImageNotKept,
            StatusCodes.Status404NotFound,
            $"The photograph of the inspection '{Shorten(id)}' is not kept. inspections.images of the category says which "
                + "are."
        );

    public static Problem VerdictNotGood(string id) =>
        new(
            ProblemCodes.VerdictNotGood,
            StatusCodes.Status409Conflict,
            $"The inspection '{Shorten(id)}' does not have the verdict 'good'. Only parts that a person called good are "
                + "learnt; see PUT /v1/inspections/{id}/verdict."
        );

    public static Problem ImageDamaged(string sha256) =>
        new(
            ProblemCodes.ImageDamaged,
            StatusCodes.Status503ServiceUnavailable,
            $"The stored image {Shorten(sha256)} is missing or damaged. Upload it again or delete it."
        );

    public static Problem JobNotFound(string id) =>
        new(ProblemCodes.JobNotFound, StatusCodes.Status404NotFound, $"The job '{Shorten(id)}' does not exist.");

    public static Problem ModelNotFound(string category, int version) =>
        ModelNotFound(category, version.ToString(System.Globalization.CultureInfo.InvariantCulture));

    public static Problem ModelNotFound(string category, string version) =>
        new(
            ProblemCodes.ModelNotFound,
            StatusCodes.Status404NotFound,
            $"The category '{category}' has no model version '{Shorten(version)}'."
        );

    public static Problem ModelNotReady(string category) =>
        new(
            ProblemCodes.ModelNotReady,
            StatusCodes.Status409Conflict,
            $"The category '{category}' has no active model yet. Upload images of good parts and start a fit "
                + $"with POST /v1/categories/{category}/fits."
        );

    public static Problem ModelUnusable(string detail) =>
        new(ProblemCodes.ModelUnusable, StatusCodes.Status503ServiceUnavailable, detail);

    public static Problem ModelCorrupt(string detail) =>
        new(ProblemCodes.ModelCorrupt, StatusCodes.Status503ServiceUnavailable, detail);

    /// <summary>Creates the problem of an image whose warnings the category refuses.</summary>
    public static Problem InputRefused(IReadOnlyList<InputWarning> warnings) =>
        new(
            ProblemCodes.InputRefused,
            StatusCodes.Status422UnprocessableEntity,
            $"{string.Join(" ", warnings.Select(warning => $"{warning.Code}: {warning.Detail}"))} The category refuses "
                + "such images (refuseOn) and makes no decision about them."
        );

    public static Problem NotFinite(string backbone) =>
        new(
            ProblemCodes.ScoreNotFinite,
            StatusCodes.Status422UnprocessableEntity,
            $"The backbone '{backbone}' returns values for this image that are not finite, so it cannot be "
                + "scored. Fit the category with another backbone."
        );

    public static Problem CacheBudgetExceeded(string category, long own, long others, long budget) =>
        new(
            ProblemCodes.CacheBudgetExceeded,
            StatusCodes.Status409Conflict,
            $"With the model of '{category}' ({own:N0} bytes), the pinned models would need {own + others:N0} "
                + $"bytes of memory; the budget (ModelCacheBytes) is {budget:N0}. Unpin another category or raise "
                + "the budget."
        );

    public static Problem LookbackNotFound(string id) =>
        new(
            ProblemCodes.LookbackNotFound,
            StatusCodes.Status404NotFound,
            $"There is no lookback '{Shorten(id)}'. Its job may still run, or have failed: see GET /v1/jobs/{{id}}."
        );

    public static Problem ShadowNotFound(string category) =>
        new(
            ProblemCodes.ShadowNotFound,
            StatusCodes.Status404NotFound,
            $"No version of '{category}' scores in the shadow. Name one with PUT /v1/categories/{category}/shadow."
        );

    public static Problem ShadowActive(int version) =>
        new(
            ProblemCodes.ShadowActive,
            StatusCodes.Status409Conflict,
            $"Version {version} is active. Name another version for its shadow."
        );

    public static Problem ShadowChanged(int expected, int version) =>
        new(
            ProblemCodes.ShadowChanged,
            StatusCodes.Status409Conflict,
            $"Version {version} is in the shadow now, not version {expected}. Look at its figures first."
        );

    public static Problem ShadowTooLarge(long bytes) =>
        new(
            ProblemCodes.ShadowTooLarge,
            StatusCodes.Status409Conflict,
            $"A candidate needs {bytes:N0} bytes of memory beside the models in use, and the budget (ModelCacheBytes, or what "
                + "a fit leaves) does not have them. Raise the budget, or unpin another category."
        );

    public static Problem ModelActive(int version) =>
        new(
            ProblemCodes.ModelActive,
            StatusCodes.Status409Conflict,
            $"Version {version} is active. Activate another version first, or delete the category."
        );

    public static Problem ModelFallback(int active, int standIn) =>
        new(
            ProblemCodes.ModelFallback,
            StatusCodes.Status409Conflict,
            $"The file of the active version {active} is damaged, and version {standIn} stands in for it, so "
                + "a threshold by value would not fit both. Set a falseRejectRate, which applies to both, or "
                + $"activate version {standIn} first."
        );

    public static Problem InvalidModel(string detail) =>
        new(ProblemCodes.ModelInvalid, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem ExportUnsupported(string detail) =>
        new(ProblemCodes.ExportUnsupported, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem TooFewImages(int different, int stored) =>
        new(
            ProblemCodes.TooFewImages,
            StatusCodes.Status409Conflict,
            "A fit needs at least 2 different images of good parts; the category has "
                + (different == stored ? $"{stored}. " : $"{stored}, and they are copies of one picture. ")
                + "Upload photographs of more parts with POST /v1/categories/{category}/images?label=normal."
        );

    public static Problem FitTooLarge(string detail) =>
        new(ProblemCodes.FitTooLarge, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem NoAnomalousImages() =>
        new(
            ProblemCodes.NoAnomalousImages,
            StatusCodes.Status409Conflict,
            "An evaluation needs images of defective parts; the category has none. Upload some with POST "
                + "/v1/categories/{category}/images?label=anomalous, with masks if you have them."
        );

    public static Problem EvaluationNotFound(string id) =>
        new(
            ProblemCodes.EvaluationNotFound,
            StatusCodes.Status404NotFound,
            $"The evaluation '{Shorten(id)}' does not exist. If it is still running, see the job with the "
                + "same identifier."
        );

    public static Problem IdempotencyConflict() =>
        new(
            ProblemCodes.IdempotencyConflict,
            StatusCodes.Status409Conflict,
            "This Idempotency-Key was already used for another request. Use a new key for each new request."
        );

    public static Problem JobFinished(string state) =>
        new(
            ProblemCodes.JobFinished,
            StatusCodes.Status409Conflict,
            $"The job has already ended ({state}) and cannot be cancelled."
        );

    public static Problem LabelConflict(string label) =>
        new(
            ProblemCodes.LabelConflict,
            StatusCodes.Status409Conflict,
            $"The same image is already stored with the label '{label}'. Change its label with PATCH "
                + "/v1/categories/{category}/images/{id}, or delete it first."
        );

    public static Problem SelectionChanged(int count, int expected) =>
        new(
            ProblemCodes.SelectionChanged,
            StatusCodes.Status409Conflict,
            $"The request selects {count} images and expected {expected}; nothing was changed. Check the selection, "
                + "and "
                + "send its number as expected."
        );

    public static Problem MaskMismatch(string detail) =>
        new(ProblemCodes.MaskMismatch, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem IgnoreMaskUnusable(string detail) =>
        new(ProblemCodes.IgnoreMaskUnusable, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem IgnoreMaskNotFound(string category) =>
        new(
            ProblemCodes.IgnoreMaskNotFound,
            StatusCodes.Status404NotFound,
            $"The category '{category}' has no ignore mask; all pixels count."
        );

    public static Problem SelfTestFailed(string detail) =>
        new(ProblemCodes.ModelSelfTestFailed, StatusCodes.Status503ServiceUnavailable, detail);

    public static Problem DeviceFailed() =>
        new(
            ProblemCodes.DeviceFailed,
            StatusCodes.Status503ServiceUnavailable,
            "The backbone could not run: the device failed or is out of memory. Retry in a moment; if this "
                + "persists, see the service's log under this traceId."
        )
        {
            RetryAfter = 1,
        };

    public static Problem ReplicaDoesNotScore() =>
        new(
            ProblemCodes.ReplicaDoesNotScore,
            StatusCodes.Status503ServiceUnavailable,
            "This replica runs jobs and does not score (Padim:Role is fit). Send the request to a replica that answers "
                + "/health/score with 200."
        )
        {
            RetryAfter = 1,
        };

    public static Problem NoImages() =>
        new(
            ProblemCodes.NoImages,
            StatusCodes.Status400BadRequest,
            "The request has no image. Send one image as the body (Content-Type: image/png, ...) or several "
                + "as multipart/form-data with files in the field 'files', 'file' or 'image'."
        );

    public static Problem TooManyFiles(int limit) =>
        new(
            ProblemCodes.TooManyFiles,
            StatusCodes.Status413PayloadTooLarge,
            $"A batch may have at most {limit} images; send the rest in another batch."
        );

    public static Problem OneFileOnly() =>
        new(
            ProblemCodes.TooManyFiles,
            StatusCodes.Status413PayloadTooLarge,
            "This operation takes one file; use /score/batch to score several images."
        );

    public static Problem UnsupportedMediaType(string? given, string expected) =>
        new(
            ProblemCodes.UnsupportedMediaType,
            StatusCodes.Status415UnsupportedMediaType,
            $"The content type '{Shorten(given ?? "(none)")}' is not supported here; send {expected}."
        );

    public static Problem UnsupportedEncoding(string given, string accepted) =>
        new(
            ProblemCodes.UnsupportedEncoding,
            StatusCodes.Status415UnsupportedMediaType,
            $"The Content-Encoding '{Shorten(given)}' is not supported; send the body packed once with one of "
                + $"{accepted}, or as it is."
        );

    public static Problem PreconditionFailed() =>
        new(
            ProblemCodes.PreconditionFailed,
            StatusCodes.Status412PreconditionFailed,
            "The file is no longer the one that If-Match names. Get it again from the beginning."
        );

    public static Problem RangeNotSatisfiable(long length) =>
        new(
            ProblemCodes.RangeNotSatisfiable,
            StatusCodes.Status416RangeNotSatisfiable,
            $"The file has {length:N0} bytes; the range begins behind its end."
        );

    public static Problem PictureTooLarge(string format, int maxSide) =>
        new(
            ProblemCodes.NotAcceptable,
            StatusCodes.Status406NotAcceptable,
            $"The image is larger than a {format} file can be, whose sides end at {maxSide} pixels. Accept image/png."
        );

    public static Problem NotAcceptable(string produced) =>
        new(
            ProblemCodes.NotAcceptable,
            StatusCodes.Status406NotAcceptable,
            $"None of the accepted media types is available; this operation returns {produced}."
        );

    public static Problem BodyTooLarge() =>
        new(
            ProblemCodes.BodyTooLarge,
            StatusCodes.Status413PayloadTooLarge,
            "The body is larger than this operation allows."
        );

    public static Problem BodyTooSlow() =>
        new(
            ProblemCodes.BodyTooSlow,
            StatusCodes.Status408RequestTimeout,
            "The body arrived too slowly: fewer than 240 bytes per second after 5 seconds. Send it again "
                + "over a faster connection; images that are already stored are not stored twice."
        );

    public static Problem QueueFull(string what) =>
        new(
            ProblemCodes.QueueFull,
            StatusCodes.Status503ServiceUnavailable,
            $"Too many {what}. Retry in a moment; nothing was lost."
        )
        {
            RetryAfter = 1,
        };

    public static Problem DeadlinePassed(int milliseconds) =>
        new(
            ProblemCodes.DeadlinePassed,
            StatusCodes.Status504GatewayTimeout,
            $"The deadline of {milliseconds} ms (X-Deadline-Ms) passed before the image was scored. The image "
                + "itself is fine."
        );

    public static Problem StorageFull() => StorageFull("The disk of the data directory is full.");

    public static Problem StorageLow(long free, long reserve) =>
        StorageFull(
            $"The disk of the data directory has {free:N0} free bytes; the last {reserve:N0} (MinFreeBytes) "
                + "are reserved for the database."
        );

    public static Problem StorageShort(long needed, long available) =>
        StorageFull($"The request needs {needed:N0} bytes of disk, and {available:N0} are available.");

    public static Problem StorageUnavailable() =>
        new(
            ProblemCodes.StorageUnavailable,
            StatusCodes.Status503ServiceUnavailable,
            "The object store does not respond, or refuses the service; the log says which. Retry in a moment. "
                + "Nothing was lost, and images that are already stored are not stored twice."
        )
        {
            RetryAfter = 5,
        };

    public static Problem InvalidArchive(string detail) =>
        new(ProblemCodes.ArchiveInvalid, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem ArchiveTooLarge(string detail) =>
        new(ProblemCodes.ArchiveTooLarge, StatusCodes.Status413PayloadTooLarge, detail);

    public static Problem InvalidEntry(string detail) =>
        new(ProblemCodes.ArchiveEntryInvalid, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem ModelImagesGone(int missing, int count) =>
        new(
            ProblemCodes.ModelImagesGone,
            StatusCodes.Status410Gone,
            $"{missing} of the {count} images that the model was fitted to were deleted, and their bytes are gone; "
                + "errors names them. Send skipMissing=true to export the others."
        );

    public static Problem Unauthenticated() =>
        new(
            ProblemCodes.Unauthenticated,
            StatusCodes.Status401Unauthorized,
            "This service requires a key. Send it as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'; create "
                + "one with 'padim keys create'."
        );

    public static Problem UnknownKey() =>
        new(
            ProblemCodes.KeyUnknown,
            StatusCodes.Status401Unauthorized,
            "The key is not known to this service. Keys start with padim_ and have 62 characters; check that "
                + "the key was not truncated."
        );

    public static Problem SignatureInvalid(string why) =>
        new(
            ProblemCodes.SignatureInvalid,
            StatusCodes.Status401Unauthorized,
            $"The signature of the request does not hold: {why}."
        );

    public static Problem TokenMissing() =>
        new(
            ProblemCodes.SignatureInvalid,
            StatusCodes.Status401Unauthorized,
            "The request is signed, but has no X-Amz-Security-Token. Set the session token and the secret access key of "
                + "the client to the key (padim_ID_...), and its access key identifier to the key's ID."
        );

    public static Problem SessionExpired() =>
        new(
            ProblemCodes.SessionExpired,
            StatusCodes.Status401Unauthorized,
            "The session has ended. Sign in again, or send a key as 'Authorization: Bearer KEY'."
        );

    public static Problem KeyExpired(string id) =>
        new(
            ProblemCodes.KeyExpired,
            StatusCodes.Status401Unauthorized,
            $"The key {id} has expired. Create a new one with 'padim keys create' or POST /v1/keys."
        );

    public static Problem KeyRevoked(string id) =>
        new(
            ProblemCodes.KeyRevoked,
            StatusCodes.Status401Unauthorized,
            $"The key {id} was revoked. Create a new one with 'padim keys create' or POST /v1/keys."
        );

    public static Problem TokenInvalid() =>
        new(
            ProblemCodes.TokenInvalid,
            StatusCodes.Status401Unauthorized,
            "The token is not valid for this service: it must be signed by the identity provider of "
                + "Padim__Oidc__Authority and issued for Padim__Oidc__Audience."
        );

    public static Problem TokenExpired() =>
        new(
            ProblemCodes.TokenExpired,
            StatusCodes.Status401Unauthorized,
            "The token has expired. Request a new one from the identity provider."
        );

    public static Problem IssuerUnavailable() =>
        new(
            ProblemCodes.IssuerUnavailable,
            StatusCodes.Status503ServiceUnavailable,
            "The identity provider cannot be reached for its signing keys, so tokens cannot be checked. Keys "
                + "still work. Retry in a moment."
        )
        {
            RetryAfter = 5,
        };

    public static Problem Forbidden(AccessScope needed) =>
        new(
            ProblemCodes.Forbidden,
            StatusCodes.Status403Forbidden,
            $"This operation requires a key with the scope {needed.ToString().ToLowerInvariant()}."
        );

    public static Problem ForbiddenToRestricted() =>
        new(
            ProblemCodes.Forbidden,
            StatusCodes.Status403Forbidden,
            "This operation concerns the whole service and requires a key that is not restricted to categories."
        );

    public static Problem CategoryForbidden(string category) =>
        new(
            ProblemCodes.CategoryForbidden,
            StatusCodes.Status403Forbidden,
            $"The key is restricted to categories, and '{Shorten(category)}' is not one of them. This does "
                + "not say whether the category exists."
        );

    public static Problem KeyNotFound(string id) =>
        new(ProblemCodes.KeyNotFound, StatusCodes.Status404NotFound, $"The key '{Shorten(id)}' does not exist.");

    public static Problem SinkNotFound(string name) =>
        new(
            ProblemCodes.SinkNotFound,
            StatusCodes.Status404NotFound,
            $"There is no sink '{Shorten(name)}'. Create it with PUT /v1/sinks/{{sink}}."
        );

    public static Problem DeadLetterNotFound(string sink, string id) =>
        new(
            ProblemCodes.DeadLetterNotFound,
            StatusCodes.Status404NotFound,
            $"The sink '{Shorten(sink)}' has no dead letter '{Shorten(id)}'. It may have been delivered meanwhile."
        );

    public static Problem RateLimited(int seconds) =>
        new(
            ProblemCodes.RateLimited,
            StatusCodes.Status429TooManyRequests,
            "Rate limit exceeded. Wait for the time in Retry-After; the request was not processed."
        )
        {
            RetryAfter = seconds,
        };

    public static Problem DatabaseUnavailable() =>
        new(
            ProblemCodes.DatabaseUnavailable,
            StatusCodes.Status503ServiceUnavailable,
            "The database does not answer, or is too busy. Retry in a moment. Images of categories whose models are in "
                + "memory are scored meanwhile."
        )
        {
            RetryAfter = 1,
        };

    public static Problem Unexpected() =>
        new(
            ProblemCodes.InternalError,
            StatusCodes.Status500InternalServerError,
            "The request failed because of an unexpected error. The service's log has the details under this "
                + "traceId."
        );

    /// <summary>Gets the problem of a refused image.</summary>
    public static Problem Image(DecodeResult.Refused refused) =>
        refused.Fault switch
        {
            ImageFault.Empty => new(ProblemCodes.EmptyBody, StatusCodes.Status400BadRequest, refused.Detail),
            ImageFault.TooLarge => new(
                ProblemCodes.ImageTooLarge,
                StatusCodes.Status413PayloadTooLarge,
                refused.Detail
            ),
            ImageFault.Animated => new(
                ProblemCodes.ImageAnimated,
                StatusCodes.Status422UnprocessableEntity,
                refused.Detail
            ),
            ImageFault.TooComplex => new(
                ProblemCodes.ImageTooComplex,
                StatusCodes.Status422UnprocessableEntity,
                refused.Detail
            ),
            ImageFault.SampleOutOfRange => new(
                ProblemCodes.SampleOutOfRange,
                StatusCodes.Status422UnprocessableEntity,
                refused.Detail
            ),
            _ => new(ProblemCodes.ImageUnreadable, StatusCodes.Status422UnprocessableEntity, refused.Detail),
        };

    public static Problem ImageBytes(int limit) =>
        new(
            ProblemCodes.ImageTooLarge,
            StatusCodes.Status413PayloadTooLarge,
            $"The image is larger than the limit of {limit:N0} bytes."
        );

    /// <summary>Raw pixels whose number of bytes does not match the query.</summary>
    /// <param name="length">Number of bytes received; null if there were too many to count.</param>
    /// <param name="layout">The layout that the query states.</param>
    public static Problem PixelsLength(long? length, PixelLayout layout) =>
        new(
            ProblemCodes.PixelsLengthMismatch,
            StatusCodes.Status422UnprocessableEntity,
            $"{layout.Width} x {layout.Height} pixels of {Choices.GetName(layout.Format)} "
                + $"without padding are {layout.Length} bytes; "
                + $"{(length is { } given ? $"{given} bytes" : "many more")} were sent."
        );

    private static Problem StorageFull(string why) =>
        new(
            ProblemCodes.StorageFull,
            StatusCodes.Status507InsufficientStorage,
            $"{why} Free some space and retry; images that are already stored are not stored twice."
        )
        {
            RetryAfter = 60,
        };

    /// <summary>Limits how much client input a response repeats, because it may be long or contain anything.</summary>
    private static string Shorten(string text) =>
        string.Concat(text.EnumerateRunes().Take(80).Select(rune => Rune.IsControl(rune) ? "?" : rune.ToString()));
}
