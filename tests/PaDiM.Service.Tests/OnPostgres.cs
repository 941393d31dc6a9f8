using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Jobs;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

// The tests of everything that is stored, once more on PostgreSQL. Those that mostly fit and score run on SQLite alone.

public sealed class PostgresCategoryPatchTests(PostgresService shared)
    : CategoryPatchTests(shared),
        IClassFixture<PostgresService>;

public sealed class PostgresCategoryTests(PostgresService shared)
    : CategoryTests(shared),
        IClassFixture<PostgresService>;

public sealed class PostgresDatasetTests(PostgresService shared) : DatasetTests(shared), IClassFixture<PostgresService>;

public sealed class PostgresDuplicateTests(PostgresService shared)
    : DuplicateTests(shared),
        IClassFixture<PostgresService>;

public sealed class PostgresEvaluationTests(PostgresService shared)
    : EvaluationTests(shared),
        IClassFixture<PostgresService>;

public sealed class PostgresIgnoreMaskTests(PostgresService shared)
    : IgnoreMaskTests(shared),
        IClassFixture<PostgresService>;

public sealed class PostgresImageChangeTests(PostgresService shared)
    : ImageChangeTests(shared),
        IClassFixture<PostgresService>;

public sealed class PostgresImageTests(PostgresService shared) : ImageTests(shared), IClassFixture<PostgresService>;

public sealed class PostgresInspectionTests(PostgresService shared)
    : InspectionTests(shared),
        IClassFixture<PostgresService>;

public sealed class PostgresInspectionFigureTests(PostgresService shared)
    : InspectionFigureTests(shared),
        IClassFixture<PostgresService>;

public sealed class PostgresVerdictFigureTests(PostgresService shared)
    : VerdictFigureTests(shared),
        IClassFixture<PostgresService>;

public sealed class PostgresSinkWorkerTests(PostgresService shared)
    : SinkWorkerTests(shared),
        IClassFixture<PostgresService>;

public sealed class PostgresLearnTests(PostgresService shared) : LearnTests(shared), IClassFixture<PostgresService>;

public sealed class PostgresShadowTests(PostgresService shared) : ShadowTests(shared), IClassFixture<PostgresService>
{
    private protected override Task<(string Option, object Value)[]> CreateDatabaseAsync() =>
        PostgresServer.CreateOptionsAsync();
}

public sealed class PostgresLookbackTests(PostgresService shared)
    : LookbackTests(shared),
        IClassFixture<PostgresService>;

public sealed class PostgresModelTests(PostgresService shared) : ModelTests(shared), IClassFixture<PostgresService>;

public sealed class PostgresThresholdTests(PostgresService shared)
    : ThresholdTests(shared),
        IClassFixture<PostgresService>;

public sealed class PostgresJobStoreTests : JobStoreTests
{
    protected override TimeSpan Caution => TimeSpan.Zero;

    private protected override Task<(string Option, object Value)[]> CreateDatabaseAsync() =>
        PostgresServer.CreateOptionsAsync();

    /// <summary>The clock of the database cannot be set, so leases end earlier instead.</summary>
    internal override async Task PassAsync(IDbContextFactory<PadimDbContext> contexts, TimeSpan by)
    {
        await using var db = await contexts.CreateDbContextAsync();
        await db.Database.ExecuteSqlAsync($"""UPDATE "Jobs" SET "LeaseExpiresAt" = "LeaseExpiresAt" - {by}""");
    }

    internal override IJobLeases CreateLeases(
        IDbContextFactory<PadimDbContext> contexts,
        IOptions<JobOptions> options,
        TimeProvider time
    ) => new PostgresLeases(contexts, options);
}

public sealed class PostgresKeyTests : KeyTests
{
    private protected override async Task<byte[]> ReadStoredAsync(PadimDbContext db) =>
        Encoding.UTF8.GetBytes(
            string.Join(
                '\n',
                await db
                    .Database.SqlQuery<string>(
                        $"""
                        SELECT key::text FROM "ApiKeys" AS key UNION ALL SELECT entry::text FROM "AuditEntries" AS entry
                        """
                    )
                    .ToListAsync()
            )
        );

    private protected override Task<(string Option, object Value)[]> CreateDatabaseAsync() =>
        PostgresServer.CreateOptionsAsync();
}

public sealed class PostgresAuditTests : AuditTests
{
    private protected override Task<(string Option, object Value)[]> CreateDatabaseAsync() =>
        PostgresServer.CreateOptionsAsync();
}
