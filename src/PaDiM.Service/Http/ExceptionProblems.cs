using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.ML.OnnxRuntime;
using Microsoft.Net.Http.Headers;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Http;

/// <summary>
/// Maps exceptions to problems, in one place. Only faults of requests and storage are distinguished; the rest are
/// defects of the service.
/// </summary>
internal sealed partial class ExceptionProblems(ILogger<ExceptionProblems> logger) : IExceptionHandler
{
    private const int NoSpaceOnUnix = 28,
        NoSpaceOnWindows = unchecked((int)0x80070070);

    /// <summary>
    /// How the framework marks its exceptions about a text that it cannot decode. It turns most of them into
    /// <see cref="JsonException"/>, but not those about names of members and about elements.
    /// </summary>
    private const string UnreadableText = "System.Text.Json.Rethrowable";

    /// <summary>What stands before the names of members in the framework's message about a body that lacks them.</summary>
    private const string Missing = "required properties including: ";

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
            DamagedBodyException damaged => Problems.InvalidRequest(damaged.Message),
            BadHttpRequestException bad => Problems.InvalidRequest(GetDetail(bad, context)),
            InvalidOperationException when HasUnknownCharset(context.Request) => Problems.UnsupportedMediaType(
                context.Request.ContentType,
                "application/json in UTF-8"
            ),
            InvalidOperationException { Source: UnreadableText } => Problems.InvalidRequest(
                "A text in the JSON body is no Unicode: it has half of a surrogate pair, or bytes that are not UTF-8."
            ),
            IOException { InnerException: OverflowException } => Problems.InvalidRequest(
                "Invalid chunk length in the request body."
            ),
            _ => ToProblem(exception),
        };
        if (problem.Status >= 500)
            LogFailure(exception, context.Request.Method, context.Request.Path.ToUriComponent());
        await problem.ExecuteAsync(context);
        return true;
    }

    /// <summary>Gets the problem of a failure that the request did not cause.</summary>
    public static Problem ToProblem(Exception exception) =>
        exception switch
        {
            _ when IsStorageFull(exception) => Problems.StorageFull(),
            _ when ObjectStoreAwayException.IsCauseOf(exception) => Problems.StorageUnavailable(),
            OnnxRuntimeException => Problems.DeviceFailed(),
            _ when DatabaseFaults.IsAway(exception) => Problems.DatabaseUnavailable(),
            _ when DatabaseFaults.HasZero(exception) => Problems.InvalidRequest(
                "A text has the character U+0000, which cannot be stored or searched for."
            ),
            _ => Problems.Unexpected(),
        };

    private static bool HasUnknownCharset(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.Charset.HasValue
        && type.Encoding is null;

    /// <summary>
    /// Describes the position of an error in a body, without C# type names, which mean nothing to a client.
    /// </summary>
    private static string GetDetail(BadHttpRequestException bad, HttpContext context) =>
        bad.InnerException switch
        {
            JsonException json when json.Message.Contains("could not be mapped", StringComparison.Ordinal) =>
                $"'{json.Path?.TrimStart('$', '.')}' is not a known property of this JSON body; see /swagger.",
            JsonException { Path: { Length: > 2 } path } =>
                $"'{path.TrimStart('$', '.')}' in the JSON body has the wrong type; "
                    + $"{GetExpected(FindMemberType(path, context)) ?? "see /swagger"}.",
            JsonException json when json.Message.IndexOf(Missing, StringComparison.Ordinal) is >= 0 and var at =>
                $"The JSON body lacks {json.Message[(at + Missing.Length)..].TrimEnd('.')}; see /swagger.",
            JsonException json when json.Message.Contains("could not be converted", StringComparison.Ordinal) =>
                "The JSON body must be an object; see /swagger.",
            JsonException json =>
                $"The body is not valid JSON (line {json.LineNumber + 1}, byte {json.BytePositionInLine}).",
            _ when bad.Message.Contains("inferred", StringComparison.Ordinal) => "This operation requires a JSON body.",
            _ => UnreadParameter()
                .Replace(
                    bad.Message,
                    match => GetParameterDetail(match.Groups[1].Value, match.Groups[2].Value, context)
                ),
        };

    private static string GetParameterDetail(string name, string value, HttpContext context)
    {
        var shown = JsonNamingPolicy.CamelCase.ConvertName(name);
        return GetExpected(FindParameterType(name, context)) is { } expected
            ? $"{shown} cannot be {value}; {expected}."
            : $"{shown} cannot be {value}.";
    }

    /// <summary>Gets the values that a type accepts; null if they cannot be listed briefly.</summary>
    private static string? GetExpected(Type? type) =>
        (Nullable.GetUnderlyingType(type ?? typeof(object)) ?? type) switch
        {
            { IsEnum: true } choices => $"expected one of {string.Join(", ", Choices.GetNames(choices))}",
            { } time when time == typeof(DateTimeOffset) => "expected a time such as 2026-11-24T13:40:00Z",
            { } flag when flag == typeof(bool) => "expected true or false",
            { } whole when whole == typeof(int) => "expected a whole number",
            { } number when number == typeof(double) || number == typeof(QueryNumber) => "expected a number",
            { } text when text == typeof(string) => "expected a string",
            _ => null,
        };

    /// <summary>Gets the type of a parameter; for a choice, its enumeration.</summary>
    private static Type? FindParameterType(string name, HttpContext context)
    {
        // Includes the members of records that are bound as parameters.
        var parameters = context
            .Features.Get<IExceptionHandlerFeature>()
            ?.Endpoint?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>();
        return parameters?.FirstOrDefault(parameter => parameter.Name == name)?.ParameterInfo is { } found
            ? Choices.GetEnumeration(found) ?? found.ParameterType
            : null;
    }

    /// <summary>Gets the type of a property of the operation's JSON body, by its path.</summary>
    private static Type? FindMemberType(string path, HttpContext context)
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

    /// <summary>The framework's message also names the C# type, which means nothing to a client.</summary>
    [GeneratedRegex("""\AFailed to bind parameter "[^"]*?(\w+)" from (".{0,80}).*\.\z""", RegexOptions.Singleline)]
    private static partial Regex UnreadParameter();

    /// <summary>Gets whether a failure was caused by a full disk.</summary>
    public static bool IsStorageFull(Exception exception) =>
        exception switch
        {
            IOException { HResult: NoSpaceOnUnix or NoSpaceOnWindows } => true,
            DbUpdateException { InnerException: { } inner } => IsStorageFull(inner),
            AggregateException several => several.Flatten().InnerExceptions.Any(IsStorageFull),
            _ => DatabaseFaults.IsFull(exception),
        };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private partial void LogFailure(Exception exception, string method, string path);
}
