import { Chat } from './chat.js';
import { ChatMember } from './chat-member.js';
import { Message } from './message.js';
import { User } from './user.js';

export const ALL_ENTITIES = [User, Chat, ChatMember, Message];
