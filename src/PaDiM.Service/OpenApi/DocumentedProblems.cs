using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.OpenApi;

/// <summary>Documents the problems of each operation: one response per status, one example per code.</summary>
internal sealed partial class DocumentedProblems : IOperationFilter
{
    private const string TraceId = "85ab7608927a5f95e8c6a0b74a35876a";

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var responses = new OpenApiResponses();
        foreach (var (status, response) in operation.Responses ?? [])
            if (response.Content?.ContainsKey("application/problem+json") is not true)
                responses[status] = response;
        var examples = OperationExamples.Get(operation.OperationId);
        var schema = context.SchemaGenerator.GenerateSchema(typeof(ProblemResponse), context.SchemaRepository);
        context.SchemaRepository.Schemas.Remove(nameof(ProblemDetails));
        var path = GetPath(operation, context);
        var problems = examples
            .Problems.Select(ProblemExamples.Get)
            .Concat(examples.RejectedFiles.Select(code => Rejected(ProblemExamples.Get(code))))
            .Concat(AccessDocumentation.GetProblems(context))
            .Concat(
                IsAnonymous(context) ? [Problems.Unexpected()] : [Problems.DatabaseUnavailable(), Problems.Unexpected()]
            );
        foreach (var group in problems.GroupBy(problem => problem.Status).OrderBy(group => group.Key))
            responses[group.Key.ToString(CultureInfo.InvariantCulture)] = new OpenApiResponse
            {
                Description =
                    $"{ReasonPhrases.GetReasonPhrase(group.Key)}: "
                    + $"{string.Join(", ", group.Select(problem => $"`{problem.Code}`"))}",
                Headers = group.Any(problem => problem.RetryAfter is not null) ? DocumentedHeaders.RetryAfter() : null,
                Content = new Dictionary<string, IOpenApiMediaType>
                {
                    ["application/problem+json"] = new OpenApiMediaType
                    {
                        Schema = schema,
                        Examples = WorkedExamples.Named(
                            group.Select(problem => KeyValuePair.Create(problem.Code, Body(problem, path)))
                        ),
                    },
                },
            };
        operation.Responses = responses;
    }

    /// <summary>Gets whether an operation works without the database: probes and metrics.</summary>
    private static bool IsAnonymous(OperationFilterContext context) =>
        context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<IAllowAnonymous>().Any();

    private static Problem Rejected(Problem problem) =>
        problem with
        {
            Status = StatusCodes.Status400BadRequest,
            Extra = new[] { new RejectedFile("000.jpg", problem.Code, problem.Detail) },
        };

    private static JsonNode Body(Problem problem, string path) =>
        JsonSerializer.SerializeToNode(problem.ToProblemDetails(path, TraceId), JsonSerializerOptions.Web)!;

    private static string GetPath(OpenApiOperation operation, OperationFilterContext context)
    {
        var tag = operation.Tags?.FirstOrDefault()?.Name;
        return "/"
            + Placeholder()
                .Replace(
                    context.ApiDescription.RelativePath?.TrimEnd('/') ?? "",
                    match => DescribedParameters.Example(tag, match.Groups[1].Value) ?? match.Value
                );
    }

    [GeneratedRegex(@"\{(\w+)[^}]*\}")]
    private static partial Regex Placeholder();
}
