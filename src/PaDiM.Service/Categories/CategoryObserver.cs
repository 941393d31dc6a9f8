namespace PaDiM.Service.Categories;

/// <summary>What another feature does, on this replica, when a category was changed or deleted.</summary>
/// <param name="Changed">Called with the category's name, after its settings were stored.</param>
/// <param name="Deleted">Called with the category's name, after it was deleted.</param>
internal sealed record CategoryObserver(Func<string, Task> Changed, Func<string, Task> Deleted);
