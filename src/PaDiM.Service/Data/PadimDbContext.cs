using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace PaDiM.Service.Data;

/// <summary>The metadata: what there is. Bytes lie in files.</summary>
internal sealed class PadimDbContext(DbContextOptions<PadimDbContext> options) : DbContext(options)
{
    public DbSet<Category> Categories => Set<Category>();

    public DbSet<ThresholdChange> ThresholdChanges => Set<ThresholdChange>();

    public DbSet<StoredImage> Images => Set<StoredImage>();

    public DbSet<Job> Jobs => Set<Job>();

    public DbSet<StoredModel> Models => Set<StoredModel>();

    public DbSet<StoredEvaluation> Evaluations => Set<StoredEvaluation>();

    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();

    public DbSet<AuditEntry> AuditEntries => Set<AuditEntry>();

    protected override void ConfigureConventions(ModelConfigurationBuilder conventions)
    {
        conventions.Properties<DateTime>().HaveConversion<UtcConverter>();
        conventions.Properties<Enum>().HaveConversion<string>();
    }

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.Entity<Category>(category =>
        {
            category.HasKey(c => c.Name);
            category.OwnsOne(c => c.Settings, settings => settings.ToJson());
            category.Property(c => c.Revision).IsConcurrencyToken();
        });
        model.Entity<ThresholdChange>().HasIndex(change => new { change.Category, change.Id });
        model.Entity<StoredImage>(image =>
        {
            image.HasIndex(i => new { i.Category, i.Sha256 }).IsUnique();
            image.HasIndex(i => new
            {
                i.Category,
                i.Label,
                i.Id,
            });
            image.HasIndex(i => i.Sha256);
            image.HasOne<Category>().WithMany().HasForeignKey(i => i.Category).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<Job>(job =>
        {
            job.HasIndex(j => new { j.Category, j.IdempotencyKey }).IsUnique();
            job.HasIndex(j => new { j.State, j.Id });
            job.Property(j => j.Fence).IsConcurrencyToken();
        });
        model.Entity<StoredModel>(stored =>
        {
            stored.HasKey(m => new { m.Category, m.Version });
            stored.HasIndex(m => m.JobId).IsUnique();
            stored.OwnsMany(m => m.Outliers, outliers => outliers.ToJson());
            stored.OwnsMany(m => m.Findings, findings => findings.ToJson());
            stored.HasOne<Category>().WithMany().HasForeignKey(m => m.Category).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<StoredEvaluation>(evaluation =>
        {
            evaluation.HasIndex(e => new
            {
                e.Category,
                e.ModelVersion,
                e.Id,
            });
            evaluation.OwnsMany(e => e.Scores, scores => scores.ToJson());
            evaluation.HasOne<Category>().WithMany().HasForeignKey(e => e.Category).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<AuditEntry>(entry =>
        {
            entry.HasIndex(e => e.At);
            entry.HasIndex(e => new { e.Category, e.Id });
        });
    }

    /// <summary>Times are UTC in the database and in memory.</summary>
    private sealed class UtcConverter()
        : ValueConverter<DateTime, DateTime>(time => time, time => DateTime.SpecifyKind(time, DateTimeKind.Utc));
}
