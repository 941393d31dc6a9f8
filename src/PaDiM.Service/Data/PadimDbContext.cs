using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace PaDiM.Service.Data;

/// <summary>The metadata. Bytes are kept in files. This class is the context of SQLite.</summary>
internal class PadimDbContext : DbContext
{
    public PadimDbContext(DbContextOptions<PadimDbContext> options)
        : base(options) { }

    protected PadimDbContext(DbContextOptions options)
        : base(options) { }

    public DbSet<Category> Categories => Set<Category>();

    public DbSet<ThresholdChange> ThresholdChanges => Set<ThresholdChange>();

    public DbSet<StoredImage> Images => Set<StoredImage>();

    public DbSet<Job> Jobs => Set<Job>();

    public DbSet<StoredModel> Models => Set<StoredModel>();

    public DbSet<StoredModelImage> ModelImages => Set<StoredModelImage>();

    public DbSet<StoredEvaluation> Evaluations => Set<StoredEvaluation>();

    public DbSet<StoredLookback> Lookbacks => Set<StoredLookback>();

    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();

    public DbSet<AuditEntry> AuditEntries => Set<AuditEntry>();

    public DbSet<Sink> Sinks => Set<Sink>();

    public DbSet<DeadLetter> DeadLetters => Set<DeadLetter>();

    /// <summary>
    /// Starts a transaction that no other one of this kind overlaps, for checks that look at more than the rows that
    /// they lead to change. In SQLite, a writing transaction is exclusive from its first statement.
    /// </summary>
    public virtual Task<IDbContextTransaction> BeginExclusiveAsync(CancellationToken cancellationToken) =>
        Database.BeginTransactionAsync(cancellationToken);

    protected override void ConfigureConventions(ModelConfigurationBuilder conventions)
    {
        conventions.Properties<DateTime>().HaveConversion<UtcConverter>();
        conventions.Properties<Enum>().HaveConversion<string>();
    }

    /// <summary>Applies the configurations that stand beside the features.</summary>
    protected override void OnModelCreating(ModelBuilder model) =>
        model.ApplyConfigurationsFromAssembly(typeof(PadimDbContext).Assembly);

    /// <summary>Times are UTC in the database and in memory.</summary>
    internal sealed class UtcConverter()
        : ValueConverter<DateTime, DateTime>(
            time => DateTime.SpecifyKind(time, DateTimeKind.Utc),
            time => DateTime.SpecifyKind(time, DateTimeKind.Utc)
        );
}
