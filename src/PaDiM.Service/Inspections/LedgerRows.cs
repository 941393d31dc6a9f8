using System.Data;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using PaDiM.Core.Scoring;
using PaDiM.Service.Data;
using PaDiM.Service.Images;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Inspections;

/// <summary>Makes rows of inspections, and inserts them.</summary>
internal static class LedgerRows
{
    /// <summary>The highest peaks come first; hundreds of them say that all of the image differs.</summary>
    private const int MaxRegions = 100;

    private const int RowsPerStatement = 100;

    /// <summary>The columns of a new row; a verdict and a kept image come later.</summary>
    private static readonly (string Name, DbType Type, Func<StoredInspection, object?> Get)[] Columns =
    [
        (nameof(StoredInspection.Key), DbType.Int64, row => row.Key),
        (nameof(StoredInspection.Id), DbType.String, row => row.Id),
        (nameof(StoredInspection.Category), DbType.String, row => row.Category),
        (nameof(StoredInspection.Part), DbType.String, row => row.Part),
        (nameof(StoredInspection.Station), DbType.String, row => row.Station),
        (nameof(StoredInspection.Lot), DbType.String, row => row.Lot),
        (nameof(StoredInspection.Decision), DbType.String, row => row.Decision.ToString()),
        (nameof(StoredInspection.Score), DbType.Double, row => row.Score),
        (nameof(StoredInspection.Threshold), DbType.Double, row => row.Threshold),
        (nameof(StoredInspection.PValue), DbType.Double, row => row.PValue),
        (nameof(StoredInspection.DecidedBy), DbType.String, row => row.DecidedBy),
        (nameof(StoredInspection.ModelVersion), DbType.Int32, row => row.ModelVersion),
        (nameof(StoredInspection.ThresholdVersion), DbType.Int32, row => row.ThresholdVersion),
        (nameof(StoredInspection.Fallback), DbType.Boolean, row => row.Fallback),
        (nameof(StoredInspection.Regions), DbType.String, row => row.Regions),
        (nameof(StoredInspection.Warnings), DbType.String, row => row.Warnings),
        (nameof(StoredInspection.Width), DbType.Int32, row => row.Width),
        (nameof(StoredInspection.Height), DbType.Int32, row => row.Height),
        (nameof(StoredInspection.Sha256), DbType.String, row => row.Sha256),
        (nameof(StoredInspection.Layout), DbType.String, row => row.Layout),
        (nameof(StoredInspection.Timings), DbType.String, row => row.Timings),
        (nameof(StoredInspection.Replica), DbType.String, row => row.Replica),
    ];

    /// <summary>Makes the row of an inspection.</summary>
    public static StoredInspection Create(Inspection inspection, RequestFile file, long key) =>
        new()
        {
            Key = key,
            Id = inspection.Id,
            Category = inspection.Category,
            Part = inspection.Part,
            Station = inspection.Station,
            Lot = inspection.Lot,
            Decision = inspection.Decision,
            Score = inspection.Score,
            Threshold = inspection.Threshold,
            PValue = inspection.PValue,
            DecidedBy = inspection.DecidedBy == inspection.Category ? null : inspection.DecidedBy,
            ModelVersion = inspection.ModelVersion,
            ThresholdVersion = inspection.ThresholdVersion,
            Fallback = inspection.Fallback,
            Regions = inspection.Regions.Count == 0 ? null : WriteRegions(inspection.Regions),
            Warnings = inspection.Warnings.Count == 0 ? null : string.Join(',', inspection.Warnings),
            Width = inspection.Image.Width,
            Height = inspection.Image.Height,
            Sha256 = inspection.Image.Sha256,
            Layout = KeptLayout.Write(file),
            Timings = WriteTimings(inspection.TimingsMs),
            Replica = inspection.Replica,
        };

    /// <summary>Reads the regions of a row.</summary>
    public static IReadOnlyList<AnomalyRegion> ReadRegions(string? regions) =>
        regions is null
            ? []
            :
            [
                .. JsonSerializer
                    .Deserialize<double[][]>(regions)!
                    .Select(r => new AnomalyRegion((int)r[0], (int)r[1], (int)r[2], (int)r[3], (int)r[4], (float)r[5])),
            ];

    /// <summary>Reads the times of a row.</summary>
    public static Timings ReadTimings(string timings)
    {
        var t = timings.Split(',').Select(ms => double.Parse(ms, CultureInfo.InvariantCulture)).ToArray();
        return new Timings(t[0], t[1], t[2], t[3], t[4], t[5]);
    }

    /// <summary>
    /// Inserts rows. One whose identifier its category has already is left out. Returns those that are new, with the keys
    /// that they got.
    /// </summary>
    public static async Task<List<StoredInspection>> InsertAsync(
        LedgerDbContext db,
        IReadOnlyList<StoredInspection> rows,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var inserted = new List<StoredInspection>(rows.Count);
        // In the order in which deletions lock what is counted, so that neither waits for the other in a circle.
        foreach (
            var chunk in rows.OrderBy(row => row.Category, StringComparer.Ordinal)
                .ThenBy(row => row.Key)
                .Chunk(RowsPerStatement)
        )
        {
            IReadOnlyList<StoredInspection> left = chunk;
            while (left.Count > 0)
            {
                var taken = await InsertChunkAsync(db, left, cancellationToken);
                var isNew = left.ToLookup(row => taken.Contains((row.Key, row.Category, row.Id)));
                inserted.AddRange(isNew[true]);
                var refused = isNew[false].ToList();
                left = await FindFreeKeysAsync(db, refused, cancellationToken);
            }
        }
        await transaction.CommitAsync(cancellationToken);
        return inserted;
    }

    /// <summary>Inserts rows unless their key or their identifier is taken; returns those that are new.</summary>
    private static async Task<HashSet<(long Key, string Category, string Id)>> InsertChunkAsync(
        LedgerDbContext db,
        IReadOnlyList<StoredInspection> rows,
        CancellationToken cancellationToken
    )
    {
        var text = new StringBuilder(
            $"INSERT INTO {db.GetTableName<StoredInspection>()} ({string.Join(", ", Columns.Select(column => $"\"{column.Name}\""))}) VALUES "
        );
        var connection = db.Database.GetDbConnection();
        await using var command = connection.CreateCommand();
        command.Transaction = db.Database.CurrentTransaction!.GetDbTransaction();
        var number = 0;
        for (var i = 0; i < rows.Count; i++)
        {
            text.Append(i == 0 ? "(" : ", (");
            for (var c = 0; c < Columns.Length; c++)
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = string.Create(CultureInfo.InvariantCulture, $"@p{number++}");
                parameter.DbType = Columns[c].Type;
                parameter.Value = Columns[c].Get(rows[i]) ?? DBNull.Value;
                command.Parameters.Add(parameter);
                text.Append(c == 0 ? "" : ", ").Append(parameter.ParameterName);
            }
            text.Append(')');
        }
        command.CommandText = text.Append(
                $" ON CONFLICT DO NOTHING RETURNING \"{nameof(StoredInspection.Key)}\", \"{nameof(StoredInspection.Category)}\", "
                    + $"\"{nameof(StoredInspection.Id)}\""
            )
            .ToString();
        var taken = new HashSet<(long, string, string)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            taken.Add((reader.GetInt64(0), reader.GetString(1), reader.GetString(2)));
        return taken;
    }

    /// <summary>Gets rows that were refused for their keys, with the next ones; those with known identifiers are gone.</summary>
    private static async Task<IReadOnlyList<StoredInspection>> FindFreeKeysAsync(
        LedgerDbContext db,
        List<StoredInspection> refused,
        CancellationToken cancellationToken
    )
    {
        if (refused.Count == 0)
            return [];
        var ids = refused.Select(row => row.Id).ToList();
        var known = await db
            .Inspections.Where(row => ids.Contains(row.Id))
            .Select(row => new { row.Id, row.Category })
            .ToListAsync(cancellationToken);
        return
        [
            .. refused
                .Where(row => !known.Exists(other => other.Id == row.Id && other.Category == row.Category))
                .Select(row => row with { Key = row.Key + 1 }),
        ];
    }

    private static string WriteRegions(IReadOnlyList<AnomalyRegion> regions) =>
        JsonSerializer.Serialize(
            regions
                .Take(MaxRegions)
                .Select(r => new double[] { r.X, r.Y, r.Width, r.Height, r.Area, Math.Round(r.PeakScore, 4) })
        );

    private static string WriteTimings(Timings t) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{t.Queue},{t.Decode},{t.Embed},{t.Distance},{t.Postprocess},{t.Total}"
        );
}
