using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;

namespace PaDiM.Service.Maintenance;

/// <summary>
/// Copies all rows from one database to another, whatever their engines are, and compares what arrived with what was
/// sent.
/// </summary>
internal static class RowCopy
{
    private const int BatchRows = 500;

    private static readonly JsonSerializerOptions Json = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new MicrosecondConverter() },
    };

    /// <summary>The tables, in an order in which rows exist before others refer to them.</summary>
    private static readonly Table[] Tables =
    [
        new Table<Category>(),
        new Table<ThresholdChange>(),
        new Table<StoredImage>(),
        new Table<StoredModel>(),
        new Table<StoredModelImage>(),
        new Table<StoredEvaluation>(),
        new Table<StoredLookback>(),
        new Table<Job>(),
        new Table<ApiKey>(),
        new Table<AuditEntry>(),
        new Table<Sink>(),
        new Table<DeadLetter>(),
    ];

    private static readonly Table[] LedgerTables =
    [
        new Table<StoredInspection>(),
        new Table<StoredShadowScore>(),
        new Table<StoredShadowMiss>(),
    ];

    /// <summary>Gets the types of rows that are copied; a test compares them with the model.</summary>
    public static IEnumerable<Type> Types => Tables.Select(table => table.Type);

    private static Table[] GetTables(DbContext db) => db is LedgerDbContext ? LedgerTables : Tables;

    /// <summary>Copies all rows into an empty database. The caller commits.</summary>
    /// <exception cref="InvalidDataException">The rows that arrived are not those that were sent.</exception>
    public static async Task RunAsync(DbContext source, DbContext target, CancellationToken cancellationToken)
    {
        foreach (var table in GetTables(source))
        {
            var sent = await table.CopyAsync(source, target, cancellationToken);
            if (await table.DigestAsync(target, cancellationToken) != sent)
                throw new InvalidDataException(
                    $"The rows of {table.Type.Name} that arrived are not the {sent.Count} that were sent. Nothing was "
                        + "changed."
                );
        }
    }

    public static async Task<bool> IsEmptyAsync(DbContext db, CancellationToken cancellationToken)
    {
        foreach (var table in GetTables(db))
            if (!await table.IsEmptyAsync(db, cancellationToken))
                return false;
        return true;
    }

    /// <summary>Lets PostgreSQL number new rows after the copied ones. SQLite does so by itself.</summary>
    public static async Task ContinueNumbersAsync(DbContext db, CancellationToken cancellationToken)
    {
        await db.Database.ExecuteSqlAsync(
            $"""
            SELECT setval(pg_get_serial_sequence('"ThresholdChanges"', 'Id'),
                (SELECT COALESCE(MAX("Id"), 0) + 1 FROM "ThresholdChanges"), false)
            """,
            cancellationToken
        );
        await db.Database.ExecuteSqlAsync(
            $"""
            SELECT setval(pg_get_serial_sequence('"AuditEntries"', 'Id'),
                (SELECT COALESCE(MAX("Id"), 0) + 1 FROM "AuditEntries"), false)
            """,
            cancellationToken
        );
    }

    private abstract record Table(Type Type)
    {
        public abstract Task<Digest> CopyAsync(DbContext source, DbContext target, CancellationToken cancellationToken);

        public abstract Task<Digest> DigestAsync(DbContext db, CancellationToken cancellationToken);

        public abstract Task<bool> IsEmptyAsync(DbContext db, CancellationToken cancellationToken);
    }

    private sealed record Table<T>() : Table(typeof(T))
        where T : class
    {
        public override async Task<Digest> CopyAsync(
            DbContext source,
            DbContext target,
            CancellationToken cancellationToken
        )
        {
            var digest = default(Digest);
            await foreach (
                var batch in source.Set<T>().AsNoTracking().AsAsyncEnumerable().Chunk(BatchRows, cancellationToken)
            )
            {
                foreach (var row in batch)
                    digest = digest.Add(row);
                target.AddRange(batch);
                await target.SaveChangesAsync(cancellationToken);
                target.ChangeTracker.Clear();
            }
            return digest;
        }

        public override async Task<Digest> DigestAsync(DbContext db, CancellationToken cancellationToken)
        {
            var digest = default(Digest);
            await foreach (
                var row in db.Set<T>().AsNoTracking().AsAsyncEnumerable().WithCancellation(cancellationToken)
            )
                digest = digest.Add(row);
            return digest;
        }

        public override async Task<bool> IsEmptyAsync(DbContext db, CancellationToken cancellationToken) =>
            !await db.Set<T>().AnyAsync(cancellationToken);
    }

    /// <summary>The number of rows, and the sum of their hashes, which does not depend on their order.</summary>
    private readonly record struct Digest(long Count, BigInteger Sum)
    {
        public Digest Add<T>(T row) =>
            new(
                Count + 1,
                Sum + new BigInteger(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(row, Json)), isUnsigned: true)
            );
    }

    /// <summary>PostgreSQL counts microseconds, SQLite a tenth of them.</summary>
    private sealed class MicrosecondConverter : JsonConverter<DateTime>
    {
        public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) =>
            writer.WriteNumberValue(value.Ticks / TimeSpan.TicksPerMicrosecond);
    }

    /// <summary>Splits rows into batches.</summary>
    private static async IAsyncEnumerable<T[]> Chunk<T>(
        this IAsyncEnumerable<T> rows,
        int size,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var batch = new List<T>(size);
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            batch.Add(row);
            if (batch.Count < size)
                continue;
            yield return [.. batch];
            batch.Clear();
        }
        if (batch.Count > 0)
            yield return [.. batch];
    }
}
