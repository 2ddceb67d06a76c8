import java.util.UUID
import kotlin.system.exitProcess
import windi.api.AuthApi
import windi.api.ChatsApi
import windi.api.GroupsApi
import windi.api.MessagesApi
import windi.api.UsersApi
import windi.infrastructure.ApiClient
import windi.infrastructure.ApiResponse
import windi.infrastructure.ClientError
import windi.infrastructure.ClientException
import windi.infrastructure.Serializer
import windi.infrastructure.Success
import windi.model.CreateChat
import windi.model.CreateGroup
import windi.model.CreatePrivateChat
import windi.model.EditMessage
import windi.model.Problem
import windi.model.Refresh
import windi.model.Register
import windi.model.Role
import windi.model.SendMessage
import windi.model.SyncCursor
import windi.model.SyncRequest

// The journey of docs/sdks.md with openapi-generator's `kotlin` and its library `jvm-okhttp4`.

const val PASSWORD = "correct horse"
const val NOWHERE = 999_999_999L

fun done(step: String) = println("ok $step")

/** Checks that a call is refused. The problem is the text of the exception's body. */
fun checkRefused(status: Int, code: String, call: () -> Unit) {
    try {
        call()
    } catch (error: ClientException) {
        val body = (error.response as ClientError<*>).body as String
        val problem = Serializer.kotlinxSerializationJson.decodeFromString<Problem>(body)
        check(error.statusCode == status && problem.code == code) { problem }
        return
    }
    error("not refused")
}

fun <T> dataOf(response: ApiResponse<T?>): T = checkNotNull((response as Success<T?>).data)

fun journey() {
    val url = checkNotNull(System.getenv("WINDI_URL"))
    val tomorrow = checkNotNull(System.getenv("WINDI_TOMORROW_URL"))
    val auth = AuthApi(url)
    val chats = ChatsApi(url)
    val groups = GroupsApi(url)
    val messages = MessagesApi(url)
    val email = "ada-${UUID.randomUUID()}@example.org"
    val friendEmail = "grace-${UUID.randomUUID()}@example.org"

    val grace = auth.register(Register("Grace Hopper", friendEmail, PASSWORD)).id
    val ada = auth.register(Register("Ada Lovelace", email, PASSWORD)).id
    done("register")

    val tokens = auth.login(username = email, password = PASSWORD)
    ApiClient.accessToken = tokens.accessToken
    done("login")

    check(auth.getMe().id == ada)
    done("me")

    val users = UsersApi(url).searchUsers(friendEmail)
    check(users.map { it.id } == listOf(grace)) { users }
    done("find a user")

    val body = CreatePrivateChat(type = CreatePrivateChat.Type.`private`, userId = grace)
    val chat = chats.createChat(CreateChat.PrivateWrapper(body))
    check(chat.lastMessage == null) { chat }
    done("private chat")

    val sent = SendMessage(chat.id, "Привет!", clientMessageId = UUID.randomUUID().toString())
    val first = messages.sendMessageWithHttpInfo(sent, null)
    check(first.statusCode == 201) { first.statusCode }
    val message = dataOf(first).id
    done("send")

    val again = messages.sendMessageWithHttpInfo(sent, null)
    check(again.statusCode == 200 && dataOf(again).id == message) { again.statusCode }
    check(again.headers["idempotent-replayed"] == listOf("true")) { again.headers }
    done("replay")

    checkRefused(409, "client_message_id_conflict") { messages.sendMessage(sent.copy(text = "Other")) }
    done("conflict")

    val history = messages.getHistoryWithHttpInfo(chat.id, null, null, null, null, null)
    check(dataOf(history).map { it.text } == listOf("Привет!")) { dataOf(history) }
    check(history.headers["x-total-count"] == listOf("1")) { history.headers }
    done("history")

    check(messages.readMessage(message).messageId == message)
    done("read")

    val group = groups.createGroup(CreateGroup("Engines")).id
    done("group")

    check(groups.addMember(group, grace).role == Role.member)
    done("add member")

    groups.removeMember(group, grace)
    done("remove member")

    val edited = messages.editMessage(message, EditMessage("Hello"))
    check(edited.text == "Hello" && edited.editedAt != null) { edited }
    done("edit")

    check(messages.deleteMessage(message).text == null)
    done("delete")

    val cursors = mapOf(chat.id.toString() to SyncCursor(seq = 1, changeSeq = 0))
    val news = messages.sync(SyncRequest(cursors))
    check(news.chats.any { it.id == chat.id && it.messages[0].deletedAt != null }) { news }
    done("sync")

    val renewal = Refresh(tokens.refreshToken, UUID.randomUUID().toString())
    ApiClient.accessToken = auth.refresh(renewal).accessToken
    done("refresh")

    checkRefused(404, "chat_not_found") { chats.getChat(NOWHERE) }
    done("typed error")

    checkRefused(404, "code_of_tomorrow") { ChatsApi(tomorrow).getChat(NOWHERE) }
    done("unknown code")

    check(AuthApi(tomorrow).getMe().id == ada)
    done("unknown field")
}

fun main() {
    // The server refuses null for a field that is optional.
    Serializer.kotlinxSerializationJsonConfiguration = { explicitNulls = false }
    journey()
    // OkHttp's threads would keep the process for a minute.
    exitProcess(0)
}
