from django.db import migrations, models


class Migration(migrations.Migration):
    """The next batch is found without sorting everything that is ready."""

    dependencies = [("sync", "0003_who_took_a_turn")]

    operations = [
        migrations.AddIndex(
            model_name="posting",
            index=models.Index(
                condition=models.Q(("state", "READY")),
                fields=["company", "posting_date", "id"],
                name="postings_to_send",
            ),
        ),
    ]
