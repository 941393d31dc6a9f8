namespace PaDiM.Engine.Faults;

/// <summary>
/// Lists every error code that a request or a job can be answered with. Codes are stable: clients decide by them.
/// <c>docs/errors.md</c> says what each one means.
/// </summary>
public static class ProblemCodes
{
    /// <summary>The request cannot be read.</summary>
    public const string InvalidRequest = "invalid_request";

    /// <summary>The name is not a category name.</summary>
    public const string InvalidName = "invalid_name";

    /// <summary>The request holds no image.</summary>
    public const string NoImages = "no_images";

    /// <summary>The image has no bytes.</summary>
    public const string EmptyBody = "empty_body";

    /// <summary>Nothing exists at this address.</summary>
    public const string RouteNotFound = "route_not_found";

    /// <summary>The address does not take this method.</summary>
    public const string MethodNotAllowed = "method_not_allowed";

    /// <summary>None of the accepted media types can be produced.</summary>
    public const string NotAcceptable = "not_acceptable";

    /// <summary>The body arrives too slowly.</summary>
    public const string BodyTooSlow = "body_too_slow";

    /// <summary>The body is larger than the operation reads.</summary>
    public const string BodyTooLarge = "body_too_large";

    /// <summary>The request holds more files than the operation takes.</summary>
    public const string TooManyFiles = "too_many_files";

    /// <summary>The file has changed since the version that the request names.</summary>
    public const string PreconditionFailed = "precondition_failed";

    /// <summary>The file ends before the range that the request asks for.</summary>
    public const string RangeNotSatisfiable = "range_not_satisfiable";

    /// <summary>The operation does not read this content type.</summary>
    public const string UnsupportedMediaType = "unsupported_media_type";

    /// <summary>The body is packed in a way that is not read.</summary>
    public const string UnsupportedEncoding = "unsupported_encoding";

    /// <summary>The idempotency key was used for another request.</summary>
    public const string IdempotencyConflict = "idempotency_conflict";

    /// <summary>The request has no key.</summary>
    public const string Unauthenticated = "unauthenticated";

    /// <summary>The key does not exist.</summary>
    public const string KeyUnknown = "key_unknown";

    /// <summary>The signature of the request does not hold.</summary>
    public const string SignatureInvalid = "signature_invalid";

    /// <summary>The key was revoked.</summary>
    public const string KeyRevoked = "key_revoked";

    /// <summary>The key has expired.</summary>
    public const string KeyExpired = "key_expired";

    /// <summary>The session of a browser has ended.</summary>
    public const string SessionExpired = "session_expired";

    /// <summary>The token is not valid here.</summary>
    public const string TokenInvalid = "token_invalid";

    /// <summary>The token has expired.</summary>
    public const string TokenExpired = "token_expired";

    /// <summary>The key lacks a scope.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>The key is restricted to other categories.</summary>
    public const string CategoryForbidden = "category_forbidden";

    /// <summary>No key has this identifier.</summary>
    public const string KeyNotFound = "key_not_found";

    /// <summary>No sink has this name.</summary>
    public const string SinkNotFound = "sink_not_found";

    /// <summary>The sink has no dead letter with this identifier.</summary>
    public const string DeadLetterNotFound = "dead_letter_not_found";

    /// <summary>The caller sends too many requests per minute.</summary>
    public const string RateLimited = "rate_limited";

    /// <summary>The identity provider cannot be reached.</summary>
    public const string IssuerUnavailable = "issuer_unavailable";

    /// <summary>The image has too many pixels or bytes.</summary>
    public const string ImageTooLarge = "image_too_large";

    /// <summary>The bytes are not an image that can be read.</summary>
    public const string ImageUnreadable = "image_unreadable";

    /// <summary>The image has more than one frame.</summary>
    public const string ImageAnimated = "image_animated";

    /// <summary>The image takes too long to decode.</summary>
    public const string ImageTooComplex = "image_too_complex";

    /// <summary>A sample is larger than the significant bits allow.</summary>
    public const string SampleOutOfRange = "sample_out_of_range";

    /// <summary>Raw pixels are more or fewer than the query says.</summary>
    public const string PixelsLengthMismatch = "pixels_length_mismatch";

    /// <summary>The image is stored with the other label.</summary>
    public const string LabelConflict = "label_conflict";

    /// <summary>The request selects another number of images than it expected.</summary>
    public const string SelectionChanged = "selection_changed";

    /// <summary>The mask does not go with its image.</summary>
    public const string MaskMismatch = "mask_mismatch";

    /// <summary>The file is not an archive of a data set.</summary>
    public const string ArchiveInvalid = "archive_invalid";

    /// <summary>The archive has too many entries or expands to too much.</summary>
    public const string ArchiveTooLarge = "archive_too_large";

    /// <summary>An entry of the archive is damaged, or has a name or a kind that is not read.</summary>
    public const string ArchiveEntryInvalid = "archive_entry_invalid";

    /// <summary>Images that a model was fitted to are gone.</summary>
    public const string ModelImagesGone = "model_images_gone";

    /// <summary>The ignore mask leaves no pixel.</summary>
    public const string IgnoreMaskUnusable = "ignore_mask_unusable";

    /// <summary>The category takes its images from another.</summary>
    public const string ImagesElsewhere = "images_elsewhere";

    /// <summary>Other categories take their images from the category.</summary>
    public const string CategoryInUse = "category_in_use";

    /// <summary>The category has no such image.</summary>
    public const string ImageNotFound = "image_not_found";

    /// <summary>There is no such inspection.</summary>
    public const string InspectionNotFound = "inspection_not_found";

    /// <summary>The photograph of the inspection is not kept.</summary>
    public const string InspectionImageNotKept = "inspection_image_not_kept";

    /// <summary>The inspection does not have the verdict that its part is good.</summary>
    public const string VerdictNotGood = "verdict_not_good";

    /// <summary>There is no such lookback.</summary>
    public const string LookbackNotFound = "lookback_not_found";

    /// <summary>No version scores in the shadow.</summary>
    public const string ShadowNotFound = "shadow_not_found";

    /// <summary>The version is the active one, which has no shadow of itself.</summary>
    public const string ShadowActive = "shadow_active";

    /// <summary>Another version is in the shadow than the request expects.</summary>
    public const string ShadowChanged = "shadow_changed";

    /// <summary>There is no memory for a candidate beside the models in use.</summary>
    public const string ShadowTooLarge = "shadow_too_large";

    /// <summary>The category has no ignore mask.</summary>
    public const string IgnoreMaskNotFound = "ignore_mask_not_found";

    /// <summary>A stored image is missing, damaged or cannot be evaluated.</summary>
    public const string ImageDamaged = "image_damaged";

    /// <summary>A setting is out of range or contradicts another.</summary>
    public const string InvalidSettings = "invalid_settings";

    /// <summary>No such backbone is installed.</summary>
    public const string BackboneNotFound = "backbone_not_found";

    /// <summary>The backbone cannot be used.</summary>
    public const string BackboneUnusable = "backbone_unusable";

    /// <summary>The category does not exist.</summary>
    public const string CategoryNotFound = "category_not_found";

    /// <summary>The model version does not exist.</summary>
    public const string ModelNotFound = "model_not_found";

    /// <summary>The job does not exist.</summary>
    public const string JobNotFound = "job_not_found";

    /// <summary>The evaluation does not exist.</summary>
    public const string EvaluationNotFound = "evaluation_not_found";

    /// <summary>A fit has fewer than two images.</summary>
    public const string TooFewImages = "too_few_images";

    /// <summary>An evaluation has no images of defective parts.</summary>
    public const string NoAnomalousImages = "no_anomalous_images";

    /// <summary>Memory or disk cannot hold the fit.</summary>
    public const string FitTooLarge = "fit_too_large";

    /// <summary>The job has ended and cannot be cancelled.</summary>
    public const string JobFinished = "job_finished";

    /// <summary>The category has no active model yet.</summary>
    public const string ModelNotReady = "model_not_ready";

    /// <summary>The active version cannot be deleted.</summary>
    public const string ModelActive = "model_active";

    /// <summary>An earlier version scores in place of the active one.</summary>
    public const string ModelFallback = "model_fallback";

    /// <summary>The pinned models do not fit into memory.</summary>
    public const string CacheBudgetExceeded = "cache_budget_exceeded";

    /// <summary>The imported file is not a usable model.</summary>
    public const string ModelInvalid = "model_invalid";

    /// <summary>The model cannot be written in the requested format.</summary>
    public const string ExportUnsupported = "export_unsupported";

    /// <summary>The image has a warning that the category refuses.</summary>
    public const string InputRefused = "input_refused";

    /// <summary>The backbone gives values that are not finite for the image.</summary>
    public const string ScoreNotFinite = "score_not_finite";

    /// <summary>The file of the model is damaged.</summary>
    public const string ModelCorrupt = "model_corrupt";

    /// <summary>The model cannot be loaded.</summary>
    public const string ModelUnusable = "model_unusable";

    /// <summary>The model does not score here as it did when it was fitted.</summary>
    public const string ModelSelfTestFailed = "model_self_test_failed";

    /// <summary>A queue has no free place.</summary>
    public const string QueueFull = "queue_full";

    /// <summary>The device failed or ran out of memory.</summary>
    public const string DeviceFailed = "device_failed";

    /// <summary>The replica runs jobs only.</summary>
    public const string ReplicaDoesNotScore = "replica_does_not_score";

    /// <summary>The database does not answer, or is too busy.</summary>
    public const string DatabaseUnavailable = "database_unavailable";

    /// <summary>The deadline passed before the image was scored.</summary>
    public const string DeadlinePassed = "deadline_passed";

    /// <summary>The disk is full or nearly full.</summary>
    public const string StorageFull = "storage_full";

    /// <summary>The object store does not respond, or refuses the service.</summary>
    public const string StorageUnavailable = "storage_unavailable";

    /// <summary>The service did not expect the failure.</summary>
    public const string InternalError = "internal_error";

    /// <summary>The images give no usable statistics.</summary>
    public const string StatisticsDegenerate = "statistics_degenerate";

    /// <summary>The backbone gives values that are not finite for a training image.</summary>
    public const string EmbeddingNotFinite = "embedding_not_finite";

    /// <summary>The kept embedding of a removed image is damaged.</summary>
    public const string EmbeddingLost = "embedding_lost";

    /// <summary>The job was started too often without coming to an end.</summary>
    public const string JobAbandoned = "job_abandoned";
}
