namespace PaDiM.Service.Http;

/// <summary>The configuration section that every feature's options are bound to.</summary>
internal static class PadimSection
{
    /// <summary>Name of the section.</summary>
    public const string Name = "Padim";

    /// <summary>
    /// Binds a feature's options to the section, and validates them when the program starts. A list may also be one
    /// value with commas; the binder would ignore it without a word.
    /// </summary>
    public static IServiceCollection AddPadimOptions<TOptions>(this IServiceCollection services)
        where TOptions : class
    {
        services
            .AddOptions<TOptions>()
            .BindConfiguration(Name)
            .Configure<IConfiguration>((options, configuration) => SplitLists(options, configuration.GetSection(Name)))
            .ValidateDataAnnotations()
            .ValidateOnStart();
        return services;
    }

    private static void SplitLists<TOptions>(TOptions options, IConfigurationSection section)
    {
        foreach (var property in typeof(TOptions).GetProperties())
            if (property.PropertyType == typeof(string[]) && section[property.Name] is { Length: > 0 } list)
                property.SetValue(
                    options,
                    list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                );
    }
}
