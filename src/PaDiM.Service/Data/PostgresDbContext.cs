using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace PaDiM.Service.Data;

/// <summary>The metadata in PostgreSQL: the same model, with what the engine needs to behave as SQLite does.</summary>
internal sealed class PostgresDbContext(DbContextOptions<PostgresDbContext> options) : PadimDbContext(options)
{
    public override async Task<IDbContextTransaction> BeginExclusiveAsync(CancellationToken cancellationToken)
    {
        var transaction = await Database.BeginTransactionAsync(cancellationToken);
        await Database.ExecuteSqlAsync(
            $"SELECT pg_advisory_xact_lock({(long)AdvisoryLock.Exclusive})",
            cancellationToken
        );
        return transaction;
    }

    /// <summary>
    /// Times have a resolution of a microsecond here. Entities get the times that are stored, so that the answer to a
    /// change has the same times as every later one.
    /// </summary>
    public override Task<int> SaveChangesAsync(
        bool acceptAllChangesOnSuccess,
        CancellationToken cancellationToken = default
    )
    {
        foreach (var entry in ChangeTracker.Entries())
            if (entry.State is EntityState.Added or EntityState.Modified)
                foreach (var property in entry.Properties)
                    if (property.CurrentValue is DateTime time)
                        property.CurrentValue = time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMicrosecond));
        return base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
    }

    /// <summary>
    /// Texts are ordered by their bytes, as in SQLite, whatever the locale of the server: pages and names then have the
    /// same order, and indexes serve comparisons. The length of a text is checked where it comes in.
    /// </summary>
    protected override void ConfigureConventions(ModelConfigurationBuilder conventions)
    {
        base.ConfigureConventions(conventions);
        conventions.Properties<string>().HaveColumnType("text").UseCollation("C");
    }

    protected override void OnModelCreating(ModelBuilder model)
    {
        base.OnModelCreating(model);
        model.Entity<RequestBucket>().ToTable("RequestBuckets").IsUnlogged().HasKey(bucket => bucket.Caller);
        model.Entity<Duty>().ToTable("Duties").HasKey(duty => duty.Name);
        var job = model.Entity<Job>();
        // One running job per category, whatever the replicas do at once.
        job.HasIndex(j => j.Category)
            .IsUnique()
            .HasFilter($"\"{nameof(Job.State)}\" = '{nameof(JobState.Running)}'")
            .HasDatabaseName("IX_Jobs_Running");
        // What ended jobs are counted from for the metrics: a few pages for a million of them, because equal entries of an
        // index are stored once.
        job.HasIndex(j => new { j.State, j.Kind });
        // The queue stays small, however many jobs there have been.
        job.HasIndex(j => j.Id)
            .HasFilter($"\"{nameof(Job.State)}\" IN ('{nameof(JobState.Queued)}', '{nameof(JobState.Running)}')")
            .HasDatabaseName("IX_Jobs_Open");
    }
}
