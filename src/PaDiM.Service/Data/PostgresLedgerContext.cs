using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace PaDiM.Service.Data;

/// <summary>
/// The ledger in PostgreSQL: a schema of its own. Ranges of time are ranges of the table's key, so that old rows are
/// deleted in small pieces without partitions, which could not keep identifiers unique.
/// </summary>
internal sealed class PostgresLedgerContext(DbContextOptions<PostgresLedgerContext> options) : LedgerDbContext(options)
{
    public const string Schema = "ledger";

    /// <summary>As in <see cref="PostgresDbContext"/>.</summary>
    protected override void ConfigureConventions(ModelConfigurationBuilder conventions)
    {
        base.ConfigureConventions(conventions);
        conventions.Properties<string>().HaveColumnType("text").UseCollation("C");
    }

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.HasDefaultSchema(Schema);
        base.OnModelCreating(model);
    }

    protected override void ConfigureIndexes(EntityTypeBuilder<StoredInspection> row)
    {
        row.HasIndex(r => new { r.Category, r.Key });
        row.HasIndex(r => new
        {
            r.Category,
            r.Decision,
            r.Key,
        });
        row.HasIndex(r => new
            {
                r.Category,
                r.Part,
                r.Key,
            })
            .HasFilter($"\"{nameof(StoredInspection.Part)}\" IS NOT NULL");
        row.HasIndex(r => new
        {
            r.Category,
            r.Score,
            r.Key,
        });
        row.HasIndex(r => new { r.Category, r.Key }, "IX_Inspections_Open").HasFilter(Open);
        row.HasIndex(
                r => new
                {
                    r.Category,
                    r.Score,
                    r.Key,
                },
                "IX_Inspections_NotNormal"
            )
            .HasFilter(NotNormal);
        row.HasIndex(r => new
            {
                r.Category,
                r.Verdict,
                r.Key,
            })
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
