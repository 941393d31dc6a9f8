using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace PaDiM.Client;

/// <summary>Registers clients with a container.</summary>
public static class PadimServices
{
    /// <summary>
    /// Registers a <see cref="PadimClient"/> whose connections <see cref="IHttpClientFactory"/> manages, with
    /// retries, a circuit breaker and time-outs.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="configure">Sets the address, the key and the rest.</param>
    /// <returns>The builder of the HTTP client, for handlers of your own. They see every try.</returns>
    /// <example>
    /// <code>
    /// builder.Services.AddPadimClient(options =>
    /// {
    ///     options.Address = new Uri("https://factory/padim");
    ///     options.Key = builder.Configuration["Padim:Key"];
    /// });
    /// </code>
    /// </example>
    public static IHttpClientBuilder AddPadimClient(
        this IServiceCollection services,
        Action<PadimClientOptions> configure
    )
    {
        services.AddTransient(provider => Create(provider, nameof(PadimClient)));
        return AddHttpClient(services, nameof(PadimClient), configure);
    }

    /// <summary>
    /// Registers one of several clients, which services get with <c>[FromKeyedServices("line-2")]</c>.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="name">The name of the client.</param>
    /// <param name="configure">Sets the address, the key and the rest.</param>
    /// <returns>The builder of the HTTP client, for handlers of your own. They see every try.</returns>
    public static IHttpClientBuilder AddPadimClient(
        this IServiceCollection services,
        string name,
        Action<PadimClientOptions> configure
    )
    {
        var full = $"{nameof(PadimClient)}.{name}";
        services.AddKeyedTransient(name, (provider, _) => Create(provider, full));
        return AddHttpClient(services, full, configure);
    }

    private static IHttpClientBuilder AddHttpClient(
        IServiceCollection services,
        string name,
        Action<PadimClientOptions> configure
    )
    {
        services.AddOptions<PadimClientOptions>(name).Configure(configure);
        services.AddSingleton<IValidateOptions<PadimClientOptions>>(new Validation(name));
        var builder = services
            .AddHttpClient(name)
            .ConfigurePrimaryHttpMessageHandler(Handlers.CreateSockets)
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
        builder.AddResilienceHandler(
            "padim",
            (pipeline, context) =>
            {
                pipeline.TimeProvider = GetTime(context.ServiceProvider);
                Resilience.Configure(pipeline, GetOptions(context.ServiceProvider, name));
            }
        );
        return builder.AddHttpMessageHandler(provider => new AttemptHandler(GetTime(provider)));
    }

    private static PadimClient Create(IServiceProvider provider, string name) =>
        new(
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(name),
            GetOptions(provider, name),
            GetTime(provider)
        );

    private static PadimClientOptions GetOptions(IServiceProvider provider, string name) =>
        provider.GetRequiredService<IOptionsMonitor<PadimClientOptions>>().Get(name);

    private static TimeProvider GetTime(IServiceProvider provider) =>
        provider.GetService<TimeProvider>() ?? TimeProvider.System;

    private sealed class Validation(string own) : IValidateOptions<PadimClientOptions>
    {
        public ValidateOptionsResult Validate(string? name, PadimClientOptions options) =>
            name != own ? ValidateOptionsResult.Skip
            : options.FindFault() is { } fault ? ValidateOptionsResult.Fail(fault)
            : ValidateOptionsResult.Success;
    }
}
