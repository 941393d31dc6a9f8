using System.Text;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Faults;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Service.Http;

/// <summary>Every expected failure of the service, its code and its status, in one place.</summary>
internal static class Problems
{
    public static Problem InvalidRequest(string detail) =>
        new(ProblemCodes.InvalidRequest, StatusCodes.Status400BadRequest, detail);

    /// <summary>Creates the answer to a request for which a status came without a body.</summary>
    public static Problem NotAnswered(int status) =>
        new(ProblemCodes.InvalidRequest, status, "The request cannot be answered.");

    public static Problem RouteNotFound() =>
        new(
            ProblemCodes.RouteNotFound,
            StatusCodes.Status404NotFound,
            "There is nothing at this address; /swagger lists what there is."
        );

    public static Problem MethodNotAllowed(string method) =>
        new(
            ProblemCodes.MethodNotAllowed,
            StatusCodes.Status405MethodNotAllowed,
            $"This address does not take {method}."
        );

    public static Problem InvalidName(string name) =>
        new(
            ProblemCodes.InvalidName,
            StatusCodes.Status400BadRequest,
            $"'{Shorten(name)}' is not a category name. Names are 1 to 64 characters, a-z, 0-9, '.', '_' or '-', and start with a letter or digit."
        );

    public static Problem InvalidSettings(string detail) =>
        new(ProblemCodes.InvalidSettings, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem UnknownBackbone(string name, IEnumerable<string> installed) =>
        new(
            ProblemCodes.BackboneNotFound,
            StatusCodes.Status422UnprocessableEntity,
            $"{BackboneCatalogue.Known.GetMissingMessage(Shorten(name))}{(BackboneCatalogue.Known.Find(name) is null ? " One is added by padim backbones add FILE." : " (the service searches those of Padim__BackboneDirectories__0 and so on).")} Installed are: {string.Join(", ", installed)}."
        );

    public static Problem UnusableBackbone(string detail) =>
        new(ProblemCodes.BackboneUnusable, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem CategoryNotFound(string name) =>
        new(
            ProblemCodes.CategoryNotFound,
            StatusCodes.Status404NotFound,
            $"There is no category '{Shorten(name)}'. Create it with PUT /v1/categories/{{category}}."
        );

    public static Problem ImageNotFound(string id) =>
        new(ProblemCodes.ImageNotFound, StatusCodes.Status404NotFound, $"The category has no image '{Shorten(id)}'.");

    public static Problem ImageDamaged(string sha256) =>
        new(
            ProblemCodes.ImageDamaged,
            StatusCodes.Status503ServiceUnavailable,
            $"The stored bytes of the image {Shorten(sha256)} are missing or damaged. Upload it again, or delete it."
        );

    public static Problem JobNotFound(string id) =>
        new(ProblemCodes.JobNotFound, StatusCodes.Status404NotFound, $"There is no job '{Shorten(id)}'.");

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
            $"The category '{category}' has no active model yet. Upload images of good parts and start a fit with POST /v1/categories/{category}/fits."
        );

    public static Problem ModelUnusable(string detail) =>
        new(ProblemCodes.ModelUnusable, StatusCodes.Status503ServiceUnavailable, detail);

    public static Problem ModelCorrupt(string detail) =>
        new(ProblemCodes.ModelCorrupt, StatusCodes.Status503ServiceUnavailable, detail);

    public static Problem NotFinite(string backbone) =>
        new(
            ProblemCodes.ScoreNotFinite,
            StatusCodes.Status422UnprocessableEntity,
            $"The backbone '{backbone}' answers this image with values that are not finite; it cannot be scored. Fit the category with another backbone."
        );

    public static Problem CacheBudgetExceeded(string category, long own, long others, long budget) =>
        new(
            ProblemCodes.CacheBudgetExceeded,
            StatusCodes.Status409Conflict,
            $"With the model of '{category}' ({own:N0} bytes) the pinned models would take {own + others:N0} bytes of memory; the budget (ModelCacheBytes) is {budget:N0}. Unpin another category, or raise the budget."
        );

    public static Problem ModelActive(int version) =>
        new(
            ProblemCodes.ModelActive,
            StatusCodes.Status409Conflict,
            $"Version {version} is the active model. Activate another version first, or delete the category."
        );

    public static Problem ModelFallback(int active, int standIn) =>
        new(
            ProblemCodes.ModelFallback,
            StatusCodes.Status409Conflict,
            $"Version {active} is active, but its file is damaged, and version {standIn} scores in its place: a threshold by value fits one of them and not the other. Set a falseRejectRate, which counts for both, or activate version {standIn} first."
        );

    public static Problem InvalidModel(string detail) =>
        new(ProblemCodes.ModelInvalid, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem ExportUnsupported(string detail) =>
        new(ProblemCodes.ExportUnsupported, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem TooFewImages(int count) =>
        new(
            ProblemCodes.TooFewImages,
            StatusCodes.Status409Conflict,
            $"A fit needs at least 2 images of normal parts; the category has {count}. Upload more with POST /v1/categories/{{category}}/images?label=normal."
        );

    public static Problem FitTooLarge(string detail) =>
        new(ProblemCodes.FitTooLarge, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem NoAnomalousImages() =>
        new(
            ProblemCodes.NoAnomalousImages,
            StatusCodes.Status409Conflict,
            "An evaluation needs images of defective parts; the category has none. Upload some with POST /v1/categories/{category}/images?label=anomalous, with masks where there are any."
        );

    public static Problem EvaluationNotFound(string id) =>
        new(
            ProblemCodes.EvaluationNotFound,
            StatusCodes.Status404NotFound,
            $"There is no evaluation '{Shorten(id)}'; one that is under way has a job of that identifier."
        );

    public static Problem IdempotencyConflict() =>
        new(
            ProblemCodes.IdempotencyConflict,
            StatusCodes.Status409Conflict,
            "This Idempotency-Key was used for another request. Use a new key for a new request."
        );

    public static Problem JobFinished(string state) =>
        new(
            ProblemCodes.JobFinished,
            StatusCodes.Status409Conflict,
            $"The job has ended already ({state}); nothing is left to cancel."
        );

    public static Problem LabelConflict(string label) =>
        new(
            ProblemCodes.LabelConflict,
            StatusCodes.Status409Conflict,
            $"The same image is stored with the label '{label}' already. Delete it first to change its label."
        );

    public static Problem MaskMismatch(string detail) =>
        new(ProblemCodes.MaskMismatch, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem IgnoreMaskUnusable(string detail) =>
        new(ProblemCodes.IgnoreMaskUnusable, StatusCodes.Status422UnprocessableEntity, detail);

    public static Problem IgnoreMaskNotFound(string category) =>
        new(
            ProblemCodes.IgnoreMaskNotFound,
            StatusCodes.Status404NotFound,
            $"The category '{category}' has no ignore mask: all pixels count."
        );

    public static Problem SelfTestFailed(string detail) =>
        new(ProblemCodes.ModelSelfTestFailed, StatusCodes.Status503ServiceUnavailable, detail);

    public static Problem DeviceFailed() =>
        new(
            ProblemCodes.DeviceFailed,
            StatusCodes.Status503ServiceUnavailable,
            "The network could not be run: the device failed, or had no memory left. Try again in a moment; if it goes on, the service's log holds the details under this traceId."
        )
        {
            RetryAfter = 1,
        };

    public static Problem NoImages() =>
        new(
            ProblemCodes.NoImages,
            StatusCodes.Status400BadRequest,
            "The request holds no image. Send one image as the body (Content-Type: image/png, ...) or any number as multipart/form-data parts named 'files'."
        );

    public static Problem TooManyFiles(int limit) =>
        new(
            ProblemCodes.TooManyFiles,
            StatusCodes.Status413PayloadTooLarge,
            $"A batch holds at most {limit} images; send the rest in another one."
        );

    public static Problem OneFileOnly() =>
        new(
            ProblemCodes.TooManyFiles,
            StatusCodes.Status413PayloadTooLarge,
            "This operation takes one image; several can be scored by /score/batch."
        );

    public static Problem UnsupportedMediaType(string? given, string expected) =>
        new(
            ProblemCodes.UnsupportedMediaType,
            StatusCodes.Status415UnsupportedMediaType,
            $"The content type '{Shorten(given ?? "(none)")}' is not read here; send {expected}."
        );

    public static Problem NotAcceptable(string produced) =>
        new(
            ProblemCodes.NotAcceptable,
            StatusCodes.Status406NotAcceptable,
            $"None of the accepted media types can be made; this operation makes {produced}."
        );

    public static Problem BodyTooLarge() =>
        new(
            ProblemCodes.BodyTooLarge,
            StatusCodes.Status413PayloadTooLarge,
            "The body is larger than this operation reads."
        );

    public static Problem BodyTooSlow() =>
        new(
            ProblemCodes.BodyTooSlow,
            StatusCodes.Status408RequestTimeout,
            "The body came too slowly: after 5 seconds, fewer than 240 bytes a second. Send it again over a better connection; images that were stored before are not stored twice."
        );

    public static Problem QueueFull(string what) =>
        new(
            ProblemCodes.QueueFull,
            StatusCodes.Status503ServiceUnavailable,
            $"The queue of {what} is full. Try again in a moment; nothing was lost."
        )
        {
            RetryAfter = 1,
        };

    public static Problem DeadlinePassed(int milliseconds) =>
        new(
            ProblemCodes.DeadlinePassed,
            StatusCodes.Status504GatewayTimeout,
            $"The {milliseconds} ms of X-Deadline-Ms have passed; the image was given up. Nothing is wrong with it."
        );

    public static Problem StorageFull() => StorageFull("The data directory has no room left.");

    public static Problem StorageLow(long free, long reserve) =>
        StorageFull(
            $"{free:N0} bytes are free where the data lies; the last {reserve:N0} (MinFreeBytes) are kept for the database."
        );

    public static Problem Unauthenticated() =>
        new(
            ProblemCodes.Unauthenticated,
            StatusCodes.Status401Unauthorized,
            "This service needs a key. Send it as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'; 'padim keys create' makes one."
        );

    public static Problem UnknownKey() =>
        new(
            ProblemCodes.KeyUnknown,
            StatusCodes.Status401Unauthorized,
            "The key is not one of this service's. Keys begin with padim_ and are 62 characters long; look for one that was cut short."
        );

    public static Problem KeyExpired(string id) =>
        new(
            ProblemCodes.KeyExpired,
            StatusCodes.Status401Unauthorized,
            $"The key {id} has expired. Make a new one with 'padim keys create' or POST /v1/keys."
        );

    public static Problem KeyRevoked(string id) =>
        new(
            ProblemCodes.KeyRevoked,
            StatusCodes.Status401Unauthorized,
            $"The key {id} was revoked. Make a new one with 'padim keys create' or POST /v1/keys."
        );

    public static Problem TokenInvalid() =>
        new(
            ProblemCodes.TokenInvalid,
            StatusCodes.Status401Unauthorized,
            "The token is not one that this service takes: it must be signed by the identity provider of Padim__Oidc__Authority, and be meant for Padim__Oidc__Audience."
        );

    public static Problem TokenExpired() =>
        new(
            ProblemCodes.TokenExpired,
            StatusCodes.Status401Unauthorized,
            "The token has expired. Ask the identity provider for a new one."
        );

    public static Problem IssuerUnavailable() =>
        new(
            ProblemCodes.IssuerUnavailable,
            StatusCodes.Status503ServiceUnavailable,
            "The identity provider cannot be asked for its signing keys just now, so that no token can be checked. Keys go on working. Try again in a moment."
        )
        {
            RetryAfter = 5,
        };

    public static Problem Forbidden(AccessScope needed) =>
        new(
            ProblemCodes.Forbidden,
            StatusCodes.Status403Forbidden,
            $"This operation needs a key with the scope {needed.ToString().ToLowerInvariant()}."
        );

    public static Problem ForbiddenToRestricted() =>
        new(
            ProblemCodes.Forbidden,
            StatusCodes.Status403Forbidden,
            "This operation is about the whole service; it needs a key that is not restricted to categories."
        );

    public static Problem CategoryForbidden(string category) =>
        new(
            ProblemCodes.CategoryForbidden,
            StatusCodes.Status403Forbidden,
            $"The key is restricted to categories, and '{Shorten(category)}' is none of them, whether it exists or not."
        );

    public static Problem KeyNotFound(string id) =>
        new(ProblemCodes.KeyNotFound, StatusCodes.Status404NotFound, $"There is no key '{Shorten(id)}'.");

    public static Problem RateLimited(int seconds) =>
        new(
            ProblemCodes.RateLimited,
            StatusCodes.Status429TooManyRequests,
            "That was more than one caller may ask for in a minute. Wait as long as Retry-After says; nothing was done."
        )
        {
            RetryAfter = seconds,
        };

    public static Problem Unexpected() =>
        new(
            ProblemCodes.InternalError,
            StatusCodes.Status500InternalServerError,
            "The request failed for a reason that the service did not expect. Its log holds the details under this traceId."
        );

    /// <summary>The problem that a refused image is.</summary>
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
            _ => new(ProblemCodes.ImageUnreadable, StatusCodes.Status422UnprocessableEntity, refused.Detail),
        };

    public static Problem ImageBytes(int limit) =>
        new(
            ProblemCodes.ImageTooLarge,
            StatusCodes.Status413PayloadTooLarge,
            $"The image has more than the {limit:N0} bytes that one image may have."
        );

    /// <summary>Raw pixels that are more or fewer than was said.</summary>
    /// <param name="length">Bytes that came; null for so many that they were not counted.</param>
    /// <param name="layout">What was said.</param>
    public static Problem PixelsLength(long? length, PixelLayout layout) =>
        new(
            ProblemCodes.PixelsLengthMismatch,
            StatusCodes.Status422UnprocessableEntity,
            $"{layout.Width} x {layout.Height} pixels of {layout.Format.ToString().ToLowerInvariant()} are {layout.Length} bytes, with no padding; {(length is { } given ? $"{given} bytes" : "many more")} were sent."
        );

    private static Problem StorageFull(string why) =>
        new(
            ProblemCodes.StorageFull,
            StatusCodes.Status507InsufficientStorage,
            $"{why} Free some space and send the request again; images that were stored before are not stored twice."
        )
        {
            RetryAfter = 60,
        };

    /// <summary>
    /// What a client sent may be long or hold anything; an answer repeats no more than a glimpse of it.
    /// </summary>
    private static string Shorten(string text) =>
        string.Concat(text.EnumerateRunes().Take(80).Select(rune => Rune.IsControl(rune) ? "?" : rune.ToString()));
}
