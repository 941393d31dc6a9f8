using Microsoft.EntityFrameworkCore;

namespace PaDiM.Service.Data;

/// <summary>
/// The ledger of inspections, apart from the metadata: its rows are many, come all the time, and may be lost without
/// harm to anything else. This class is the context of SQLite.
/// </summary>
internal class LedgerDbContext : DbContext
{
    /// <summary>What the review queue holds; text of an index that queries must match.</summary>
    protected const string Open = $"\"{nameof(StoredInspection.Verdict)}\" IS NULL AND {NotNormal}";

    /// <summary>Few of many: their scores have an index of their own.</summary>
    protected const string NotNormal = $"\"{nameof(StoredInspection.Decision)}\" <> 'Normal'";

    public LedgerDbContext(DbContextOptions<LedgerDbContext> options)
        : base(options) { }

    protected LedgerDbContext(DbContextOptions options)
        : base(options) { }

    public DbSet<StoredInspection> Inspections => Set<StoredInspection>();

    public DbSet<StoredShadowScore> ShadowScores => Set<StoredShadowScore>();

    public DbSet<StoredShadowMiss> ShadowMisses => Set<StoredShadowMiss>();

    public DbSet<InspectionCount> InspectionCounts => Set<InspectionCount>();

    public DbSet<RetentionClock> RetentionClocks => Set<RetentionClock>();

    /// <summary>Gets the name of a table in SQL.</summary>
    public string GetTableName<T>()
    {
        var table = Model.FindEntityType(typeof(T))!;
        return table.GetSchema() is { } schema ? $"{schema}.\"{table.GetTableName()}\"" : $"\"{table.GetTableName()}\"";
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder conventions)
    {
        conventions.Properties<DateTime>().HaveConversion<PadimDbContext.UtcConverter>();
        conventions.Properties<Enum>().HaveConversion<string>();
    }

    protected override void OnModelCreating(ModelBuilder model)
    {
        var row = model.Entity<StoredInspection>();
        row.HasKey(r => r.Key);
        row.Property(r => r.Key).ValueGeneratedNever();
        row.Property(r => r.Id).IsRequired();
        row.HasIndex(r => new { r.Id, r.Category }).IsUnique();
        ConfigureIndexes(row);
        model
            .Entity<InspectionCount>()
            .HasKey(count => new
            {
                count.Category,
                count.Quarter,
                count.Replica,
                count.Decision,
            });
        model.Entity<RetentionClock>().Property(clock => clock.Id).ValueGeneratedNever();
        var shadow = model.Entity<StoredShadowScore>();
        shadow.HasKey(r => r.Key);
        shadow.Property(r => r.Key).ValueGeneratedNever();
        shadow
            .HasIndex(r => new
            {
                r.InspectionCategory,
                r.InspectionId,
                r.Category,
                r.Version,
            })
            .IsUnique();
        shadow.HasIndex(r => new { r.InspectionCategory, r.Key });
        shadow.HasIndex(r => new
        {
            r.Category,
            r.Version,
            r.Differs,
            r.Key,
        });
        model
            .Entity<StoredShadowMiss>()
            .HasKey(r => new
            {
                r.Category,
                r.Version,
                r.Replica,
            });
    }

    /// <summary>Every index of SQLite ends with the key of the table, which is the time.</summary>
    protected virtual void ConfigureIndexes(
        Microsoft.EntityFrameworkCore.Metadata.Builders.EntityTypeBuilder<StoredInspection> row
    )
    {
        row.HasIndex(r => r.Category);
        row.HasIndex(r => new { r.Category, r.Decision });
        row.HasIndex(r => new { r.Category, r.Part }).HasFilter($"\"{nameof(StoredInspection.Part)}\" IS NOT NULL");
        row.HasIndex(r => new { r.Category, r.Score });
        row.HasIndex(r => r.Category, "IX_Inspections_Open").HasFilter(Open);
        row.HasIndex(r => new { r.Category, r.Score }, "IX_Inspections_NotNormal").HasFilter(NotNormal);
        row.HasIndex(r => new { r.Category, r.Verdict })
            .HasFilter($"\"{nameof(StoredInspection.Verdict)}\" IS NOT NULL");
        row.HasIndex(r => new
            {
                r.Category,
                r.Key,
                r.ImageBytes,
            })
            .HasFilter($"\"{nameof(StoredInspection.ImageBytes)}\" IS NOT NULL");
    }
}
