using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Objects;

/// <summary>Settings of where images and models are stored.</summary>
internal sealed class ObjectOptions : IValidatableObject
{
    /// <summary>Where images and models are stored.</summary>
    public ObjectStoreKind ObjectStore { get; set; }

    /// <summary>The bucket, with <see cref="ObjectStoreKind.S3"/>.</summary>
    public S3Options S3 { get; set; } = new();

    /// <summary>
    /// Disk space for copies of models from a bucket, in bytes. The least recently used ones are removed.
    /// </summary>
    [Range(1L << 20, long.MaxValue)]
    public long ModelFileCacheBytes { get; set; } = 16L << 30;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ObjectStore == ObjectStoreKind.S3 && S3.Validate() is { } fault)
            yield return new ValidationResult(fault, [nameof(S3)]);
    }
}

/// <summary>Where images and models are stored.</summary>
internal enum ObjectStoreKind
{
    /// <summary>In the data directory.</summary>
    Disk,

    /// <summary>In a bucket of an S3-compatible store.</summary>
    S3,
}
