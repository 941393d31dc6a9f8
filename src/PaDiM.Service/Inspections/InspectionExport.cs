using System.Globalization;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using Parquet;
using Parquet.Schema;

namespace PaDiM.Service.Inspections;

/// <summary>The formats of an export.</summary>
internal enum InspectionFormat
{
    /// <summary>Comma-separated values.</summary>
    Csv,

    /// <summary>A JSON object per line.</summary>
    Jsonl,

    /// <summary>Apache Parquet.</summary>
    Parquet,
}

/// <summary>Writes inspections to files, some thousand rows at a time, oldest first.</summary>
internal sealed class InspectionExport(InspectionStore store, IOptions<JsonOptions> json)
{
    private const int PieceRows = 2000;

    /// <summary>The columns of tables; JSON lines have what a single inspection has.</summary>
    private static readonly Column[] Columns =
    [
        new TextColumn("id", row => row.Id),
        new TextColumn("category", row => row.Category),
        new TextColumn("part", row => row.Part),
        new TextColumn("station", row => row.Station),
        new TextColumn("lot", row => row.Lot),
        new ValueColumn<DateTime>("at", row => row.At),
        new TextColumn("decision", row => Choices.GetName(row.Decision)),
        new ValueColumn<double>("score", row => row.Score),
        new ValueColumn<double>("threshold", row => row.Threshold),
        new ValueColumn<double>("pValue", row => row.PValue),
        new TextColumn("decidedBy", row => row.DecidedBy ?? row.Category),
        new ValueColumn<int>("modelVersion", row => row.ModelVersion),
        new ValueColumn<int>("thresholdVersion", row => row.ThresholdVersion),
        new ValueColumn<bool>("fallback", row => row.Fallback),
        new TextColumn("regions", row => row.Regions),
        new TextColumn("warnings", row => row.Warnings),
        new ValueColumn<int>("width", row => row.Width),
        new ValueColumn<int>("height", row => row.Height),
        new TextColumn("sha256", row => row.Sha256),
        new ValueColumn<double>("totalMs", row => LedgerRows.ReadTimings(row.Timings).Total),
        new TextColumn("replica", row => row.Replica),
        new TextColumn("verdict", row => row.Verdict is { } verdict ? Choices.GetName(verdict) : null),
        new TextColumn("defect", row => row.Defect),
        new TextColumn("verdictBy", row => row.VerdictBy),
    ];

    /// <summary>
    /// A spreadsheet takes a text that begins like a formula for one, and a part may be named by anyone who can score.
    /// </summary>
    private static readonly CsvConfiguration Csv = new(CultureInfo.InvariantCulture)
    {
        InjectionOptions = InjectionOptions.Escape,
        NewLine = "\r\n",
    };

    /// <summary>Gets the media type of a format.</summary>
    public static string GetMediaType(InspectionFormat format) =>
        format switch
        {
            InspectionFormat.Csv => "text/csv",
            InspectionFormat.Jsonl => "application/jsonl",
            _ => "application/vnd.apache.parquet",
        };

    /// <summary>Writes the inspections of a query.</summary>
    public Task WriteAsync(
        InspectionQuery query,
        InspectionFormat format,
        Stream target,
        CancellationToken cancellationToken
    )
    {
        var rows = store.ReadAsync(query, int.MaxValue, cancellationToken);
        return format switch
        {
            InspectionFormat.Csv => WriteCsvAsync(rows, target, cancellationToken),
            InspectionFormat.Jsonl => WriteJsonAsync(rows, target, cancellationToken),
            _ => WriteParquetAsync(rows, target, cancellationToken),
        };
    }

    private static async Task WriteCsvAsync(
        IAsyncEnumerable<StoredInspection> rows,
        Stream target,
        CancellationToken cancellationToken
    )
    {
        await using var buffer = new ExportBuffer(target);
        await using (var text = new StreamWriter(buffer, leaveOpen: true))
        await using (var csv = new CsvWriter(text, Csv, leaveOpen: true))
        {
            foreach (var column in Columns)
                csv.WriteField(column.Name);
            await csv.NextRecordAsync();
            await foreach (var piece in rows.Chunk(PieceRows).WithCancellation(cancellationToken))
            {
                foreach (var row in piece)
                {
                    foreach (var column in Columns)
                        column.Write(csv, row);
                    await csv.NextRecordAsync();
                }
                await csv.FlushAsync();
                await text.FlushAsync(cancellationToken);
                await buffer.DrainAsync(cancellationToken);
            }
        }
        await buffer.DrainAsync(cancellationToken);
    }

    private async Task WriteJsonAsync(
        IAsyncEnumerable<StoredInspection> rows,
        Stream target,
        CancellationToken cancellationToken
    )
    {
        await using var buffer = new ExportBuffer(target);
        await foreach (var piece in rows.Chunk(PieceRows).WithCancellation(cancellationToken))
        {
            foreach (var row in piece)
            {
                JsonSerializer.Serialize(buffer, InspectionResponse.Create(row), json.Value.SerializerOptions);
                buffer.WriteByte((byte)'\n');
            }
            await buffer.DrainAsync(cancellationToken);
        }
        await buffer.DrainAsync(cancellationToken);
    }

    private static async Task WriteParquetAsync(
        IAsyncEnumerable<StoredInspection> rows,
        Stream target,
        CancellationToken cancellationToken
    )
    {
        await using var buffer = new ExportBuffer(target);
        var schema = new ParquetSchema(Columns.Select(column => column.Field).ToArray<Field>());
        await using (var writer = await ParquetWriter.CreateAsync(schema, buffer, cancellationToken: cancellationToken))
            await foreach (var piece in rows.Chunk(10 * PieceRows).WithCancellation(cancellationToken))
            {
                using (var group = writer.CreateRowGroup())
                    foreach (var column in Columns)
                        await column.WriteAsync(group, piece, cancellationToken);
                await buffer.DrainAsync(cancellationToken);
            }
        await buffer.DrainAsync(cancellationToken);
    }

    private abstract class Column(string name, DataField type)
    {
        public string Name => name;

        public DataField Field => type;

        public abstract void Write(CsvWriter csv, StoredInspection row);

        public abstract Task WriteAsync(
            ParquetRowGroupWriter group,
            StoredInspection[] rows,
            CancellationToken cancellationToken
        );
    }

    private sealed class TextColumn(string name, Func<StoredInspection, string?> get)
        : Column(name, new DataField<string>(name))
    {
        public override void Write(CsvWriter csv, StoredInspection row) => csv.WriteField(get(row));

        public override Task WriteAsync(
            ParquetRowGroupWriter group,
            StoredInspection[] rows,
            CancellationToken cancellationToken
        ) => group.WriteAsync(Field, rows.Select(get).ToArray()!);
    }

    private sealed class ValueColumn<T>(string name, Func<StoredInspection, T> get)
        : Column(name, new DataField<T>(name))
        where T : struct
    {
        public override void Write(CsvWriter csv, StoredInspection row)
        {
            if (get(row) is DateTime time)
                csv.WriteField(time.ToString("o", CultureInfo.InvariantCulture));
            else
                csv.WriteField(get(row));
        }

        public override Task WriteAsync(
            ParquetRowGroupWriter group,
            StoredInspection[] rows,
            CancellationToken cancellationToken
        ) => group.WriteAsync<T>(Field, rows.Select(get).ToArray().AsMemory(), null, null, cancellationToken);
    }
}
