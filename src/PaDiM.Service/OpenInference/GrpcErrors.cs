using System.Globalization;
using System.Text;
using Grpc.Core;
using PaDiM.Service.Http;

namespace PaDiM.Service.OpenInference;

/// <summary>Writes problems as gRPC does: a status and a message in headers, and no body.</summary>
internal sealed class GrpcErrors : ProblemFormat
{
    private const string MediaType = "application/grpc";

    /// <summary>Gets the status of a call with a problem.</summary>
    public static Status ToStatus(Problem problem) =>
        new(
            problem.Status switch
            {
                StatusCodes.Status401Unauthorized => StatusCode.Unauthenticated,
                StatusCodes.Status403Forbidden => StatusCode.PermissionDenied,
                StatusCodes.Status404NotFound => StatusCode.NotFound,
                StatusCodes.Status409Conflict => StatusCode.FailedPrecondition,
                StatusCodes.Status413PayloadTooLarge
                or StatusCodes.Status429TooManyRequests
                or StatusCodes.Status507InsufficientStorage => StatusCode.ResourceExhausted,
                StatusCodes.Status503ServiceUnavailable => StatusCode.Unavailable,
                StatusCodes.Status504GatewayTimeout => StatusCode.DeadlineExceeded,
                < StatusCodes.Status500InternalServerError => StatusCode.InvalidArgument,
                _ => StatusCode.Internal,
            },
            OpenInferenceErrors.GetText(problem)
        );

    /// <summary>Gets the value or throws the problem, as handlers of calls report it.</summary>
    /// <exception cref="RpcException">There is a problem.</exception>
    public static T GetOrThrow<T>(Outcome<T> outcome) =>
        outcome.Succeeded(out var value, out var problem) ? value : throw new RpcException(ToStatus(problem));

    public override Task WriteAsync(HttpContext context, Problem problem)
    {
        var status = ToStatus(problem);
        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = MediaType;
        response.Headers.GrpcStatus = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        response.Headers.GrpcMessage = Encode(status.Detail);
        return Task.CompletedTask;
    }

    protected override bool Covers(HttpRequest request) =>
        request.ContentType?.StartsWith(MediaType, StringComparison.OrdinalIgnoreCase) is true;

    /// <summary>Encodes a message for a header, as gRPC asks for.</summary>
    private static string Encode(string text)
    {
        var encoded = new StringBuilder();
        foreach (var one in Encoding.UTF8.GetBytes(text))
            if (one is >= 0x20 and <= 0x7E and not (byte)'%')
                encoded.Append((char)one);
            else
                encoded.Append(CultureInfo.InvariantCulture, $"%{one:X2}");
        return encoded.ToString();
    }
}
