using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Data;

/// <summary>Settings of the data directory and the database.</summary>
internal sealed class DataOptions : IValidatableObject
{
    /// <summary>
    /// Directory of the database, images and statistics; created when missing. A relative path starts at the working
    /// directory.
    /// </summary>
    [Required]
    public string DataDirectory { get; set; } = "data";

    /// <summary>
    /// Free disk space, in bytes, below which nothing new is stored: uploads, imports, fits and evaluations are
    /// answered with 507. The rest is reserved for the database. Scoring needs no disk space.
    /// </summary>
    [Range(0, long.MaxValue)]
    public long MinFreeBytes { get; set; } = 256L << 20;

    /// <summary>The database of the metadata.</summary>
    public DatabaseOptions Database { get; set; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Database.Validate().Select(fault => new ValidationResult(fault, [nameof(Database)]));
}
