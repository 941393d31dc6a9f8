using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.ML.OnnxRuntime;
using Microsoft.Net.Http.Headers;

namespace PaDiM.Service.Http;

/// <summary>
/// The one place where exceptions become answers. Only faults of requests and of storage are told apart; the rest is
/// ours to mend.
/// </summary>
internal sealed partial class ExceptionProblems(ILogger<ExceptionProblems> logger) : IExceptionHandler
{
    private const int NoSpaceOnUnix = 28,
        NoSpaceOnWindows = unchecked((int)0x80070070),
        SqliteFull = 13;

    public async ValueTask<bool> TryHandleAsync(
        HttpContext context,
        Exception exception,
        CancellationToken cancellationToken
    )
    {
        if (context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }
        var problem = exception switch
        {
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => Problems.BodyTooLarge(),
            BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => Problems.BodyTooSlow(),
            BadHttpRequestException { StatusCode: StatusCodes.Status415UnsupportedMediaType } =>
                Problems.UnsupportedMediaType(context.Request.ContentType, "application/json"),
            BadHttpRequestException bad => Problems.InvalidRequest(Sentence(bad, context)),
            InvalidOperationException when HasUnknownCharset(context.Request) => Problems.UnsupportedMediaType(
                context.Request.ContentType,
                "application/json in UTF-8"
            ),
            IOException { InnerException: OverflowException } => Problems.InvalidRequest(
                "The length of a chunk of the body is no number that a chunk can have."
            ),
            _ => FaultOf(exception),
        };
        if (problem.Status >= 500)
            LogFailure(exception, context.Request.Method, context.Request.Path.ToUriComponent());
        await problem.ExecuteAsync(context);
        return true;
    }

    /// <summary>The problem behind a failure that no request is to blame for.</summary>
    public static Problem FaultOf(Exception exception) =>
        exception switch
        {
            _ when IsStorageFull(exception) => Problems.StorageFull(),
            OnnxRuntimeException => Problems.DeviceFailed(),
            _ => Problems.Unexpected(),
        };

    private static bool HasUnknownCharset(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.Charset.HasValue
        && type.Encoding is null;

    /// <summary>Says where a body is wrong without the names of types, which say nothing to a client.</summary>
    private static string Sentence(BadHttpRequestException bad, HttpContext context) =>
        bad.InnerException switch
        {
            JsonException json when json.Message.Contains("could not be mapped", StringComparison.Ordinal) =>
                $"'{json.Path?.TrimStart('$', '.')}' is not a member of this JSON body; see /swagger for those that are.",
            JsonException { Path: { Length: > 2 } path } =>
                $"The value of '{path.TrimStart('$', '.')}' in the JSON body is not of the kind that is expected there; {Alternatives(MemberAt(path, context)) ?? "see /swagger"}.",
            JsonException json =>
                $"The body is not valid JSON (line {json.LineNumber + 1}, byte {json.BytePositionInLine}).",
            _ when bad.Message.Contains("inferred", StringComparison.Ordinal) => "This operation needs a JSON body.",
            _ => UnreadParameter()
                .Replace(
                    bad.Message,
                    match =>
                        $"{JsonNamingPolicy.CamelCase.ConvertName(match.Groups[1].Value)} cannot be {match.Groups[2]}{(Alternatives(ParameterOf(match.Groups[1].Value, context)) is { } others ? $"; {others}" : "")}."
                ),
        };

    /// <summary>What a value of a type can be instead; null where that is not said in a few words.</summary>
    private static string? Alternatives(Type? type) =>
        (Nullable.GetUnderlyingType(type ?? typeof(object)) ?? type) switch
        {
            { IsEnum: true } choices => $"it is one of {string.Join(", ", Choices.NamesOf(choices))}",
            { } time when time == typeof(DateTimeOffset) => "it is a time such as 2026-11-24T13:40:00Z",
            { } flag when flag == typeof(bool) => "it is true or false",
            { } whole when whole == typeof(int) => "it is a whole number",
            { } number when number == typeof(double) => "it is a number",
            { } text when text == typeof(string) => "it is a text",
            _ => null,
        };

    /// <summary>The type of a parameter of the operation, of one that is a choice the enumeration.</summary>
    private static Type? ParameterOf(string name, HttpContext context)
    {
        // Those of records that are bound as parameters as well.
        var parameters = context
            .Features.Get<IExceptionHandlerFeature>()
            ?.Endpoint?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>();
        return parameters?.FirstOrDefault(parameter => parameter.Name == name)?.ParameterInfo is { } found
            ? Choices.EnumerationOf(found) ?? found.ParameterType
            : null;
    }

    /// <summary>The type of a member of the operation's JSON body, by its path.</summary>
    private static Type? MemberAt(string path, HttpContext context)
    {
        var type = context
            .Features.Get<IExceptionHandlerFeature>()
            ?.Endpoint?.Metadata.GetMetadata<IAcceptsMetadata>()
            ?.RequestType;
        foreach (var name in path.TrimStart('$', '.').Split('.'))
            type = type
                ?.GetProperty(name, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase)
                ?.PropertyType;
        return type;
    }

    /// <summary>The framework names the type of C# as well, which says nothing to a client.</summary>
    [GeneratedRegex("""\AFailed to bind parameter "[^"]*?(\w+)" from (".{0,80}).*\.\z""", RegexOptions.Singleline)]
    private static partial Regex UnreadParameter();

    /// <summary>Whether a failure is for want of room on the disk.</summary>
    public static bool IsStorageFull(Exception exception) =>
        exception switch
        {
            IOException { HResult: NoSpaceOnUnix or NoSpaceOnWindows } => true,
            SqliteException { SqliteErrorCode: SqliteFull } => true,
            DbUpdateException { InnerException: { } inner } => IsStorageFull(inner),
            AggregateException several => several.Flatten().InnerExceptions.Any(IsStorageFull),
            _ => false,
        };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private partial void LogFailure(Exception exception, string method, string path);
}
