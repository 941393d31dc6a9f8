using System.Net;
using System.Text.RegularExpressions;
using PaDiM.Service.Http;

namespace PaDiM.Service.Sinks;

/// <summary>Checks what is asked of a sink, before anything is stored.</summary>
internal static partial class SinkRules
{
    private const int MaxUrl = 2048,
        MaxCategories = 1000,
        MaxTimeout = 30;

    /// <summary>Refuses requests whose route contains a name that no sink has.</summary>
    public static ValueTask<object?> Filter(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        context.HttpContext.GetRouteValue("sink") is string name && !NamePattern().IsMatch(name)
            ? ValueTask.FromResult<object?>(
                Problems.InvalidRequest(
                    "The name of a sink has 1 to 64 characters from a-z, 0-9, '.', '_' and '-', starting with a letter "
                        + "or digit."
                )
            )
            : next(context);

    /// <summary>Gets the first thing that is wrong; null if nothing is.</summary>
    public static Problem? FindProblem(SinkRequest request)
    {
        if (
            new object?[] { request.Webhook, request.Mqtt, request.Folder }.Count(receiver => receiver is not null) != 1
        )
            return Problems.InvalidSettings("A sink names one receiver: webhook, mqtt or folder.");
        if (request.Categories is { } categories)
        {
            if (categories.Length is 0 or > MaxCategories)
                return Problems.InvalidSettings($"categories has 1 to {MaxCategories} names; omit it for all.");
            foreach (var category in categories)
                if (category is null || !CategoryName.IsValid(category))
                    return Problems.InvalidName(category ?? "");
        }
        if (request.Decisions is { Length: 0 })
            return Problems.InvalidSettings("decisions names at least one; omit it for all.");
        if (request.TimeoutSeconds is < 1 or > MaxTimeout)
            return Problems.InvalidSettings($"timeoutSeconds must be from 1 to {MaxTimeout}.");
        return request.Webhook is { } webhook ? FindProblem(webhook)
            : request.Mqtt is { } mqtt && MqttRules.FindFault(mqtt) is { } fault ? Problems.InvalidSettings(fault)
            : request.Folder?.FindFault() is { } wrong ? Problems.InvalidSettings(wrong)
            : null;
    }

    private static Problem? FindProblem(WebhookRequest webhook)
    {
        if (
            webhook.Url is not { Length: > 0 and <= MaxUrl } text
            || !Uri.TryCreate(text, UriKind.Absolute, out var url)
            || url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps
            || url.Host.Length == 0
            || url.UserInfo.Length > 0
            || url.Fragment.Length > 0
        )
            return Problems.InvalidSettings(
                $"webhook.url must be an http or https address without user and fragment, of at most {MaxUrl} "
                    + "characters."
            );
        if (IPAddress.TryParse(url.DnsSafeHost, out var address) && !AddressGuard.Allows(address, webhook.AllowPrivate))
            return Problems.InvalidSettings(
                $"Webhooks do not connect to {address}"
                    + (webhook.AllowPrivate ? "." : " unless allowPrivate is set: it is no address of the internet.")
            );
        if (
            webhook.Secrets is { } secrets
            && (secrets.Length is 0 or > 2 || secrets.Any(secret => !WebhookSignature.IsSecret(secret)))
        )
            return Problems.InvalidSettings(
                "webhook.secrets has one or two secrets: 'whsec_' and 24 to 64 bytes as Base64, such as the output of "
                    + "'openssl rand -base64 32'."
            );
        return null;
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
