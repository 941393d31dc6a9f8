using System.Reflection;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>The names of the fields of forms, the same at every address that takes files.</summary>
internal static class FormFields
{
    /// <summary>Text fields that mean what headers do.</summary>
    public const string Part = "partId",
        Station = "stationId",
        Lot = "lotId",
        Inspection = "inspectionId";

    /// <summary>Gets the header that means what a text field does.</summary>
    public static IReadOnlyDictionary<string, string> Headers { get; } =
        new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            [Part] = RequestIdentity.PartHeader,
            [Station] = RequestIdentity.StationHeader,
            [Lot] = RequestIdentity.LotHeader,
            [Inspection] = RequestIdentity.InspectionHeader,
        };

    /// <summary>The names of a field with files, in one sentence.</summary>
    public const string FileNames = "'files' ('file' and 'image' are the same)";

    private const int MaxIgnoredNames = 10;

    private static readonly string[] NamesOfFiles = ["files", "file", "image"],
        NamesOfMasks = ["masks", "mask"];

    /// <summary>Gets whether a field holds files.</summary>
    public static bool IsFile(string field) => Has(NamesOfFiles, field);

    /// <summary>Gets whether a field holds masks.</summary>
    public static bool IsMask(string field) => Has(NamesOfMasks, field);

    /// <summary>Gets the problem of a file in a field that no operation takes files in.</summary>
    public static Problem CreateProblem(string field) =>
        Problems.InvalidRequest(
            $"'{RequestIdentity.Clean(field)}' is not a field for files here; send them in {FileNames}."
        );

    /// <summary>Gets the text of a field that was read; null if there was none.</summary>
    public static string? FindText(HttpContext context, string field) =>
        context.Features.Get<Texts>()?.Values.GetValueOrDefault(field);

    /// <summary>
    /// Takes a text field of a form. What an operation reads from its query is refused here, because ignoring it could
    /// be costly: images of defective parts would be stored as good ones. Other fields are ignored, and named in the
    /// answer.
    /// </summary>
    /// <exception cref="QueryFieldException">The operation reads this field from its query.</exception>
    public static void Add(HttpContext context, string field, string text)
    {
        var texts = context.Features.Get<Texts>() ?? new Texts();
        context.Features.Set(texts);
        if (IsQueryParameter(context, field))
            throw new QueryFieldException(
                $"'{RequestIdentity.Clean(field)}' is a text field of the form; pass it in the query: "
                    + $"?{RequestIdentity.Clean(field)}=..."
            );
        texts.Values[field] = text;
        if (!Headers.TryGetValue(field, out var header) || !Takes(context, header))
            texts.Ignore(context.Response, field);
    }

    /// <summary>Gets the text fields of a request that were not read.</summary>
    public static IReadOnlyCollection<string> GetIgnored(HttpContext context) =>
        context.Features.Get<Texts>()?.Ignored ?? [];

    /// <summary>A form names one part, so only operations with the header read it.</summary>
    private static bool Takes(HttpContext context, string header) =>
        GetParameters(context).Any(parameter => parameter.GetCustomAttribute<FromHeaderAttribute>()?.Name == header);

    private static bool IsQueryParameter(HttpContext context, string field) =>
        GetParameters(context)
            .Any(parameter =>
                field.Equals(parameter.Name, StringComparison.OrdinalIgnoreCase)
                && parameter.GetCustomAttribute<FromHeaderAttribute>() is null
                && !context.Request.RouteValues.ContainsKey(field)
                && IsText(parameter.ParameterType)
            );

    private static IEnumerable<ParameterInfo> GetParameters(HttpContext context) =>
        (context.GetEndpoint()?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>() ?? []).Select(parameter =>
            parameter.ParameterInfo
        );

    /// <summary>Gets whether a parameter is parsed from text; services are parameters too.</summary>
    private static bool IsText(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) is { } given && (given.IsValueType || given == typeof(string));

    /// <summary>Some libraries write a list as <c>files[]</c>.</summary>
    private static bool Has(string[] names, string field) =>
        names.Contains(
            field.EndsWith("[]", StringComparison.Ordinal) ? field[..^2] : field,
            StringComparer.OrdinalIgnoreCase
        );

    private sealed class Texts
    {
        public Dictionary<string, string> Values { get; } = new(StringComparer.OrdinalIgnoreCase);

        public List<string> Ignored { get; } = [];

        public void Ignore(HttpResponse response, string field)
        {
            if (Ignored.Count >= MaxIgnoredNames || RequestIdentity.Clean(field) is not { } name)
                return;
            Ignored.Add(name);
            response.Headers[ResultHeaders.IgnoredFields] = string.Join(", ", Ignored);
        }
    }
}

/// <summary>A text field of a form that belongs in the query.</summary>
internal sealed class QueryFieldException(string message) : BadHttpRequestException(message);
