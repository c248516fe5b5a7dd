"""What is followed in Sage is told by the posted document, not by the status of the batch alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0007_tell_people")]

    operations = [
        migrations.RemoveIndex(model_name="posting", name="postings_to_follow"),
        migrations.AddIndex(
            model_name="posting",
            index=models.Index(
                condition=models.Q(("posted_at__isnull", True), ("state", "IN_SAGE")),
                fields=["company", "sage_batch_number"],
                name="postings_to_follow",
            ),
        ),
    ]
